#include "ui/single_instance.h"

#include "core/base/log.h"

#include <QCryptographicHash>
#include <QDir>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLocalServer>
#include <QLocalSocket>
#include <QLockFile>
#include <QStandardPaths>
#include <QTimer>
#include <unistd.h>

namespace retort {

namespace {

constexpr int kPatience = 3000;        // ms that a window at work may take to answer
constexpr qint64 kMostBytes = 1 << 16; // of a request; a path is at most 4,096
constexpr qsizetype kMostPath = 100;   // of a socket's name, 108 on Linux
constexpr char kTaken[] = "taken\n";

QString socket_of(const std::filesystem::path& library)
{
    std::error_code ignored;
    const std::string whole = std::filesystem::weakly_canonical(std::filesystem::absolute(library, ignored), ignored).string();
    const QByteArray digest = QCryptographicHash::hash(QByteArray::fromStdString(whole), QCryptographicHash::Sha256).toHex().left(16);
    const QString name = QStringLiteral("retort-%1-%2").arg(::getuid()).arg(QLatin1String(digest));
    const QString own = QStandardPaths::writableLocation(QStandardPaths::RuntimeLocation);
    const QString place = own + QLatin1Char('/') + name;
    return own.isEmpty() || place.toLocal8Bit().size() > kMostPath ? QDir::tempPath() + QLatin1Char('/') + name : place;
}

QByteArray line_of(const StartRequest& request)
{
    return QJsonDocument(QJsonObject{{QStringLiteral("model"), request.model},
                                     {QStringLiteral("teacher"), request.teacher},
                                     {QStringLiteral("student"), request.student},
                                     {QStringLiteral("activation"), request.activation}})
               .toJson(QJsonDocument::Compact) +
           '\n';
}

} // namespace

SingleInstance::SingleInstance(const std::filesystem::path& library, QObject* parent) : QObject(parent), m_socket(socket_of(library)) {}

SingleInstance::~SingleInstance() = default;

bool SingleInstance::handOver(const StartRequest& request)
{
    if (tell(request)) {
        return true;
    }
    QLockFile one_at_a_time(m_socket + QStringLiteral(".lock")); // of two starts at once one becomes the first, the other finds it
    one_at_a_time.tryLock(kPatience);
    if (tell(request)) {
        return true;
    }
    listen();
    return false;
}

bool SingleInstance::tell(const StartRequest& request)
{
    QLocalSocket first;
    first.connectToServer(m_socket);
    if (!first.waitForConnected(kPatience)) {
        return false;
    }
    first.write(line_of(request));
    QByteArray answer;
    while (!answer.contains('\n') && first.waitForReadyRead(kPatience)) {
        answer += first.readAll();
    }
    return answer == kTaken;
}

void SingleInstance::listen()
{
    m_server = std::make_unique<QLocalServer>();
    m_server->setSocketOptions(QLocalServer::UserAccessOption);
    QLocalSocket probe;
    probe.connectToServer(m_socket);
    if (!probe.waitForConnected(kPatience)) {
        QLocalServer::removeServer(m_socket); // nobody is behind it; one that is only slow keeps it
    }
    if (!m_server->listen(m_socket)) {
        log_line(LogLevel::Warning, "A second start will not find this window: " + m_server->errorString().toStdString() + ".");
    }
    connect(m_server.get(), &QLocalServer::newConnection, this, [this] {
        while (QLocalSocket* caller = m_server->nextPendingConnection()) {
            connect(caller, &QLocalSocket::disconnected, caller, &QObject::deleteLater);
            connect(caller, &QLocalSocket::readyRead, this, [this, caller] { hear(*caller); });
            QTimer::singleShot(kPatience, caller, &QLocalSocket::abort); // one that says nothing is not kept
            hear(*caller);
        }
    });
}

void SingleInstance::hear(QLocalSocket& caller)
{
    if (!caller.canReadLine()) {
        if (caller.bytesAvailable() > kMostBytes) {
            caller.abort();
        }
        return;
    }
    const QJsonObject said = QJsonDocument::fromJson(caller.readLine(kMostBytes)).object();
    caller.write(kTaken);
    caller.disconnectFromServer();
    const auto text = [&said](const char* name) { return said[QLatin1String(name)].toString(); };
    Q_EMIT startedAgain({text("model"), text("teacher"), text("student"), text("activation")});
}

} // namespace retort
