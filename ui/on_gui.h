#pragma once
#include <QCoreApplication>
#include <QMetaObject>
#include <QPointer>
#include <utility>

namespace retort {

/// Brings a result home: calls `deliver(receiver)` on the GUI thread, later, unless the receiver is gone by then. Any thread.
///
/// The call travels through the application object, which outlives every worker, so that the receiver is looked at on its own thread only.
template <class Receiver, class Deliver>
void on_gui(const QPointer<Receiver>& receiver, Deliver deliver)
{
    QMetaObject::invokeMethod(
        QCoreApplication::instance(),
        [receiver, deliver = std::move(deliver)]() mutable {
            if (receiver) {
                deliver(*receiver);
            }
        },
        Qt::QueuedConnection);
}

} // namespace retort
