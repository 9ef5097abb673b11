#include "core/data/data_source.h"
#include "core/distil/run.h"

namespace retort {

Result<std::shared_ptr<const DataSource>> data_of(const DistilPlan& plan, const Model& teacher)
{
    return make_data_source({.kind = plan.data.kind,
                             .seed = plan.data.seed,
                             .files = plan.data.files,
                             .chat = {teacher.shared_chat_template(), teacher.info().bos_text, teacher.info().eos_text}},
                            teacher.shared_tokenizer());
}

} // namespace retort
