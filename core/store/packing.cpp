#include "core/store/packing.h"

#include <bit>
#include <cstring>
#include <type_traits>

namespace retort {

static_assert(std::endian::native == std::endian::little, "the library's blobs are written as they lie in memory");

namespace {

constexpr std::uint8_t kVersion = 1;

class Writer {
public:
    template <class Value>
    void put(Value value)
    {
        static_assert(std::is_arithmetic_v<Value>);
        const auto* bytes = reinterpret_cast<const std::byte*>(&value);
        m_bytes.insert(m_bytes.end(), bytes, bytes + sizeof value);
    }
    template <class Value>
    void put_all(const std::vector<Value>& values)
    {
        put(static_cast<std::uint32_t>(values.size()));
        const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
        m_bytes.insert(m_bytes.end(), bytes, bytes + values.size() * sizeof(Value));
    }
    [[nodiscard]] std::vector<std::byte> take() { return std::move(m_bytes); }

private:
    std::vector<std::byte> m_bytes;
};

/// Reads what Writer wrote; once anything does not fit, every further value is 0 and sound() is false.
class Reader {
public:
    explicit Reader(std::string_view bytes) : m_rest(bytes) {}

    template <class Value>
    Value take()
    {
        Value value{};
        if (m_rest.size() < sizeof value) {
            m_sound = false;
            m_rest = {};
            return value;
        }
        std::memcpy(&value, m_rest.data(), sizeof value);
        m_rest.remove_prefix(sizeof value);
        return value;
    }
    /// A count of things that take at least `least` bytes each; 0 when so many cannot follow.
    std::uint32_t take_count(std::size_t least)
    {
        const auto count = take<std::uint32_t>();
        if (count > m_rest.size() / least) {
            m_sound = false;
            return 0;
        }
        return count;
    }
    template <class Value>
    std::vector<Value> take_all()
    {
        std::vector<Value> values(take_count(sizeof(Value)));
        if (!values.empty()) {
            std::memcpy(values.data(), m_rest.data(), values.size() * sizeof(Value));
        }
        m_rest.remove_prefix(values.size() * sizeof(Value));
        return values;
    }
    [[nodiscard]] bool sound() const { return m_sound && m_rest.empty(); }

private:
    std::string_view m_rest;
    bool m_sound = true;
};

void put_candidates(Writer& out, const std::vector<Candidate>& candidates)
{
    out.put(static_cast<std::uint32_t>(candidates.size()));
    for (const Candidate& candidate : candidates) {
        out.put(candidate.id);
        out.put(candidate.probability);
        out.put(candidate.rank);
    }
}

std::vector<Candidate> take_candidates(Reader& in)
{
    std::vector<Candidate> candidates(in.take_count(16));
    for (Candidate& candidate : candidates) {
        candidate.id = in.take<TokenId>();
        candidate.probability = in.take<float>();
        candidate.rank = in.take<std::int64_t>();
    }
    return candidates;
}

tl::unexpected<Error> damaged(const char* what)
{
    return failure(Error::Kind::BadFile, std::string("A stored ") + what + " is damaged and was left out.");
}

} // namespace

std::vector<std::byte> pack(const Comparison& comparison)
{
    Writer out;
    out.put(kVersion);
    out.put(static_cast<std::uint64_t>(comparison.prompt_tokens));
    out.put(static_cast<std::uint32_t>(comparison.positions.size()));
    for (const ComparedPosition& position : comparison.positions) {
        const Divergence& d = position.divergence;
        out.put(position.token);
        for (const double value : {d.kl, d.reverse_kl, d.js, d.tv, d.teacher_entropy, d.student_entropy}) {
            out.put(value);
        }
        out.put(static_cast<std::uint8_t>(d.same_top));
        out.put(d.overlap);
        out.put(position.teacher_log_probability);
        out.put(position.student_log_probability);
        out.put(position.teacher_rank);
        out.put(position.student_rank);
        put_candidates(out, position.teacher_top);
        put_candidates(out, position.student_top);
    }
    return out.take();
}

Result<Comparison> unpack_comparison(std::string_view bytes)
{
    Reader in(bytes);
    Comparison comparison;
    if (in.take<std::uint8_t>() != kVersion) {
        return damaged("comparison");
    }
    comparison.prompt_tokens = in.take<std::uint64_t>();
    comparison.positions.resize(in.take_count(93));
    for (ComparedPosition& position : comparison.positions) {
        Divergence& d = position.divergence;
        position.token = in.take<TokenId>();
        for (double* value : {&d.kl, &d.reverse_kl, &d.js, &d.tv, &d.teacher_entropy, &d.student_entropy}) {
            *value = in.take<double>();
        }
        d.same_top = in.take<std::uint8_t>() != 0;
        d.overlap = in.take<std::int64_t>();
        position.teacher_log_probability = in.take<float>();
        position.student_log_probability = in.take<float>();
        position.teacher_rank = in.take<std::int64_t>();
        position.student_rank = in.take<std::int64_t>();
        position.teacher_top = take_candidates(in);
        position.student_top = take_candidates(in);
    }
    if (!in.sound()) {
        return damaged("comparison");
    }
    return comparison;
}

std::vector<std::byte> pack(const DistributionSnapshot& snapshot)
{
    Writer out;
    out.put(kVersion);
    out.put(snapshot.position);
    out.put_all(snapshot.context);
    out.put_all(snapshot.teacher.logits);
    out.put_all(snapshot.student.logits);
    out.put_all(snapshot.truth);
    return out.take();
}

Result<DistributionSnapshot> unpack_snapshot(std::string_view bytes)
{
    Reader in(bytes);
    DistributionSnapshot snapshot;
    if (in.take<std::uint8_t>() != kVersion) {
        return damaged("distribution");
    }
    snapshot.position = in.take<std::int64_t>();
    snapshot.context = in.take_all<TokenId>();
    snapshot.teacher.logits = in.take_all<float>();
    snapshot.student.logits = in.take_all<float>();
    snapshot.truth = in.take_all<float>();
    if (!in.sound()) {
        return damaged("distribution");
    }
    return snapshot;
}

std::vector<std::byte> pack(std::span<const TokenId> ids)
{
    Writer out;
    out.put(kVersion);
    out.put_all(std::vector<TokenId>(ids.begin(), ids.end()));
    return out.take();
}

Result<std::vector<TokenId>> unpack_ids(std::string_view bytes)
{
    Reader in(bytes);
    if (in.take<std::uint8_t>() != kVersion) {
        return damaged("prompt");
    }
    auto ids = in.take_all<TokenId>();
    if (!in.sound()) {
        return damaged("prompt");
    }
    return ids;
}

std::vector<std::byte> pack(const std::vector<std::string>& pieces)
{
    Writer out;
    out.put(kVersion);
    out.put(static_cast<std::uint32_t>(pieces.size()));
    for (const std::string& piece : pieces) {
        out.put_all(std::vector<char>(piece.begin(), piece.end()));
    }
    return out.take();
}

Result<std::vector<std::string>> unpack_pieces(std::string_view bytes)
{
    Reader in(bytes);
    if (in.take<std::uint8_t>() != kVersion) {
        return damaged("vocabulary");
    }
    std::vector<std::string> pieces(in.take_count(sizeof(std::uint32_t)));
    for (std::string& piece : pieces) {
        const auto letters = in.take_all<char>();
        piece.assign(letters.begin(), letters.end());
    }
    if (!in.sound()) {
        return damaged("vocabulary");
    }
    return pieces;
}

} // namespace retort
