#pragma once
#include "core/data/batch.h"
#include "core/model/decoder_shape.h"
#include "core/model/weights.h"

#include <QFile>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace retort {

/// The recorded run of tests/golden/distil/training, by PyTorch in float32: two models, twenty batches, and what every step came to.
struct GoldenTraining {
    nlohmann::json reference;
    DecoderShape teacher_spec, student_spec;
    WeightSet teacher, student;
    std::vector<Batch> batches;

    static nlohmann::json json(const QString& name)
    {
        QFile file(QStringLiteral(RETORT_SOURCE_DIR "/tests/golden/distil/") + name);
        if (!file.open(QIODevice::ReadOnly)) {
            return {};
        }
        return nlohmann::json::parse(file.readAll().toStdString());
    }

    static DecoderShape spec(const QString& folder)
    {
        const nlohmann::json config = json(QStringLiteral("training/") + folder + QStringLiteral("/config.json"));
        DecoderShape spec;
        spec.family = "llama";
        spec.layers = config.at("num_hidden_layers");
        spec.width = config.at("hidden_size");
        spec.heads = config.at("num_attention_heads");
        spec.kv_heads = config.at("num_key_value_heads");
        spec.head_dim = config.at("head_dim");
        spec.ffn = config.at("intermediate_size");
        spec.vocabulary = config.at("vocab_size");
        spec.context = config.at("max_position_embeddings");
        spec.norm_eps = config.at("rms_norm_eps");
        spec.rope.theta = config.at("rope_parameters").at("rope_theta");
        spec.tied = config.at("tie_word_embeddings");
        return spec;
    }

    /// Float32 tensors of a safetensors file, read apart from the program's own reader.
    static WeightSet weights(const QString& folder)
    {
        QFile file(QStringLiteral(RETORT_SOURCE_DIR "/tests/golden/distil/training/") + folder + QStringLiteral("/model.safetensors"));
        WeightSet result;
        if (!file.open(QIODevice::ReadOnly)) {
            return result;
        }
        const QByteArray bytes = file.readAll();
        std::uint64_t header_size = 0;
        std::memcpy(&header_size, bytes.constData(), 8);
        const nlohmann::json header = nlohmann::json::parse(bytes.mid(8, static_cast<qsizetype>(header_size)).toStdString());
        for (const auto& [name, tensor] : header.items()) {
            if (name == "__metadata__") {
                continue;
            }
            const std::uint64_t begin = tensor.at("data_offsets").at(0);
            const std::uint64_t end = tensor.at("data_offsets").at(1);
            std::vector<float> values((end - begin) / sizeof(float));
            std::memcpy(values.data(), bytes.constData() + 8 + header_size + begin, end - begin);
            result.emplace(name, weight_from_floats(tensor.at("shape").get<std::vector<std::int64_t>>(), values));
        }
        return result;
    }

    static GoldenTraining read()
    {
        GoldenTraining golden;
        golden.reference = json(QStringLiteral("training/reference.json"));
        golden.teacher_spec = spec(QStringLiteral("teacher"));
        golden.student_spec = spec(QStringLiteral("student"));
        golden.teacher = weights(QStringLiteral("teacher"));
        golden.student = weights(QStringLiteral("student"));
        const auto& ids = golden.reference.at("input_ids");
        for (std::size_t i = 0; i < ids.size(); ++i) {
            Batch batch;
            batch.sequences = static_cast<std::int64_t>(ids[i].size());
            batch.length = static_cast<std::int64_t>(ids[i][0].size());
            for (std::size_t row = 0; row < ids[i].size(); ++row) {
                for (const int id : ids[i][row]) {
                    batch.ids.push_back(id);
                }
                for (const int counts : golden.reference.at("target_mask")[i][row]) {
                    batch.mask.push_back(static_cast<std::uint8_t>(counts));
                }
            }
            golden.batches.push_back(std::move(batch));
        }
        return golden;
    }
};

} // namespace retort
