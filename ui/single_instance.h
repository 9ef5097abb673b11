#pragma once
#include <QObject>
#include <QString>
#include <filesystem>
#include <memory>

class QLocalServer;
class QLocalSocket;

namespace retort {

/// What a start of the program was asked for beside its library.
struct StartRequest {
    QString model;            ///< a file or folder named without saying what for; empty: none
    QString teacher, student; ///< models named for a role; empty: none
    QString activation;       ///< the desktop's token that lets a window come to the front; may be empty
};

/// One window for one person and one library: a second start finds the first through a local socket, hands over what it was asked for and ends.
///
/// The socket lies in the person's own runtime folder and is named after the library. One that nobody listens at, left by a program that was killed,
/// is replaced. GUI thread.
class SingleInstance : public QObject {
    Q_OBJECT

public:
    explicit SingleInstance(const std::filesystem::path& library, QObject* parent = nullptr);
    ~SingleInstance() override;

    /// True when the first window has taken `request`: this start is done. False when there is none: this program is the first from now on, and
    /// hears of later starts. False, too, when the first does not answer within its patience.
    [[nodiscard]] bool handOver(const StartRequest& request);

    /// Where this library's windows find each other.
    [[nodiscard]] const QString& socket() const { return m_socket; }

Q_SIGNALS:
    void startedAgain(const retort::StartRequest& request);

private:
    [[nodiscard]] bool tell(const StartRequest& request);
    void listen();
    void hear(QLocalSocket& caller);

    QString m_socket;
    std::unique_ptr<QLocalServer> m_server;
};

} // namespace retort
