// tokenizer_bench [tokenizer.json] [rounds]: encodes 4 MB of text in documents of 4 KB, one thread, beside the `tokenizers` library of the Python
// that RETORT_PYTHON names. Without a tokenizer.json that Python trains one. Rounds alternate, processor time
// counts, and the ratio is that of the best of each.
#include "core/base/files.h"
#include "core/measure/speed.h"
#include "core/text/tokenizer.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <random>

using namespace retort;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCorpus = 4'000'000;
constexpr std::size_t kDocument = 4'000;

/// Lines of this repository's own texts: prose, code, and the many scripts of the golden files.
std::vector<std::string> lines_of_repository(const fs::path& root)
{
    std::vector<std::string> lines;
    std::vector<fs::path> files;
    for (const char* folder : {"app", "core", "docs", "tests", "ui"}) {
        std::error_code missing;
        for (const auto& entry : fs::recursive_directory_iterator(root / folder, missing)) {
            const std::string extension = entry.path().extension().string();
            if (extension == ".md" || extension == ".h" || extension == ".cpp" || entry.path().filename() == "cases.json") {
                files.push_back(entry.path());
            }
        }
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
        const std::string text = read_text_file(file, 1U << 26).value_or("");
        for (std::size_t from = 0; from < text.size();) {
            const std::size_t end = std::min(text.find('\n', from), text.size() - 1);
            lines.push_back(text.substr(from, end + 1 - from));
            from = end + 1;
        }
    }
    return lines;
}

/// Runs of lines in random order, with numbers that no line had, so that words repeat as words do and texts do not.
std::vector<std::string> documents_of(const std::vector<std::string>& lines)
{
    std::mt19937 random(1);
    std::vector<std::string> documents;
    for (std::size_t made = 0; made < kCorpus; made += documents.back().size()) {
        std::string document;
        while (document.size() < kDocument) {
            const std::size_t first = random() % lines.size();
            for (std::size_t i = first; i < std::min(first + 8, lines.size()); ++i) {
                document += lines[i];
            }
            document += std::to_string(random()) + "\n";
        }
        documents.push_back(std::move(document));
    }
    return documents;
}

std::string output_of(const std::string& command)
{
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    std::string text;
    char part[256];
    while (pipe && std::fgets(part, sizeof part, pipe.get()) != nullptr) {
        text += part;
    }
    return text;
}

struct Timing {
    double seconds = 1e9;
    std::size_t ids = 0;
};

Timing measure(const Tokenizer& tokenizer, const std::vector<std::string>& documents)
{
    Timing best;
    for (int pass = 0; pass < 2; ++pass) {
        const std::clock_t begin = std::clock();
        best.ids = static_cast<std::size_t>(count_pieces(tokenizer, documents));
        best.seconds = std::min(best.seconds, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    }
    return best;
}

/// Seconds and number of ids of the peer; no ids when it did not run.
Timing measure_peer(const std::string& command)
{
    Timing timing;
    double ids = 0;
    if (std::sscanf(output_of(command).c_str(), "%lf %lf", &timing.seconds, &ids) == 2) {
        timing.ids = static_cast<std::size_t>(ids);
    }
    return timing;
}

} // namespace

int main(int argc, char** argv)
{
    const auto documents = documents_of(lines_of_repository(RETORT_SOURCE_DIR));
    const char* python = std::getenv("RETORT_PYTHON");
    const fs::path folder = fs::temp_directory_path() / ("tokenizer_bench." + std::to_string(std::random_device{}()));
    fs::create_directory(folder);
    const std::string corpus = (folder / "corpus").string();
    std::string all;
    for (const std::string& document : documents) {
        all.append(document).push_back('\0');
    }
    const double megabytes = static_cast<double>(all.size() - documents.size()) / 1e6;
    const auto written = write_file_atomically(corpus, all);
    std::string json = argc > 1 ? argv[1] : (folder / "tokenizer.json").string();
    const auto peer = [&](const char* what) {
        std::string command;
        for (const std::string& word :
             {std::string(python), std::string(RETORT_SOURCE_DIR "/tests/bench/tokenizer_peer.py"), std::string(what), corpus, json}) {
            command.append("'").append(word).append("' ");
        }
        return command;
    };
    if (argc < 2 && python) {
        (void)output_of(peer("make"));
    }
    const auto source = read_text_file(json, 1U << 28);
    const auto tokenizer = source ? Tokenizer::from_json(*source, json) : failure(source.error());
    if (!written || !tokenizer) {
        std::fprintf(stderr, "%s\nName a tokenizer.json, or a Python with the package tokenizers in RETORT_PYTHON.\n",
                     (written ? tokenizer.error() : written.error()).message.c_str());
        return 1;
    }
    Timing ours;
    Timing theirs;
    for (int round = 0; round < (argc > 2 ? std::atoi(argv[2]) : 3); ++round) {
        const Timing timing = measure(**tokenizer, documents);
        ours = timing.seconds < ours.seconds ? timing : ours;
        if (python) {
            const Timing peers = measure_peer(peer("time"));
            theirs = peers.seconds < theirs.seconds ? peers : theirs;
        }
    }
    fs::remove_all(folder);
    std::printf("%.1f MB in %zu documents, %zu pieces in the vocabulary\n", megabytes, documents.size(), (*tokenizer)->size());
    std::printf("Retort      %6.2f MB/s  %zu ids\n", megabytes / ours.seconds, ours.ids);
    if (theirs.ids > 0) {
        std::printf("tokenizers  %6.2f MB/s  %zu ids\nratio       %6.2f\n", megabytes / theirs.seconds, theirs.ids, theirs.seconds / ours.seconds);
    }
    return theirs.ids > 0 && theirs.ids != ours.ids ? 1 : 0;
}
