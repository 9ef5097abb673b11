#include "core/distil/catalogues.h"
#include "core/distil/run.h"

namespace retort {

Result<std::shared_ptr<const DataSource>> data_of(const DistilPlan& plan, const Model& teacher)
{
    return data_of(plan, teacher, built_in_catalogues());
}

Result<std::shared_ptr<const DataSource>> data_of(const DistilPlan& plan, const Model& teacher, const Catalogues& known)
{
    return make_data_source({.kind = plan.data.kind,
                             .seed = plan.data.seed,
                             .files = plan.data.files,
                             .chat = {teacher.shared_chat_template(), teacher.info().bos_text, teacher.info().eos_text}},
                            teacher.shared_tokenizer(), known.data_kinds);
}

} // namespace retort
