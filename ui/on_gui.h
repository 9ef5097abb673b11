#pragma once
#include <QCoreApplication>
#include <QMetaObject>
#include <QPointer>
#include <utility>
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace retort {

/// What a posted call carries was written before it is run: Qt's queue sees to it, by atomics that the thread sanitizer cannot see in a library that
/// was not built with it, so it is told. To be captured last, so that it is copied last. Nothing in any other build.
class Handover {
public:
#if defined(__SANITIZE_THREAD__)
    Handover() = default;
    Handover(const Handover& /*other*/) { __tsan_release(QCoreApplication::instance()); }
    Handover& operator=(const Handover&) = delete;
    static void received() { __tsan_acquire(QCoreApplication::instance()); }
#else
    static void received() {}
#endif
};

/// Brings a result home: calls `deliver(receiver)` on the GUI thread, later, unless the receiver is gone by then. Any thread.
///
/// The call travels through the application object, which outlives every worker, so that the receiver is looked at on its own thread only.
template <class Receiver, class Deliver>
void on_gui(const QPointer<Receiver>& receiver, Deliver deliver)
{
    QMetaObject::invokeMethod(
        QCoreApplication::instance(),
        [receiver, deliver = std::move(deliver), handover = Handover()]() mutable {
            handover.received();
            if (receiver) {
                deliver(*receiver);
            }
        },
        Qt::QueuedConnection);
}

} // namespace retort
