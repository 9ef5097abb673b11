#include "core/desk/run_reader.h"

#include <tuple>

namespace retort {

RunNews RunReader::news()
{
    RunNews news;
    std::tie(news.metrics, m_metrics) = m_run->metrics().since(m_metrics);
    std::tie(news.evaluations, m_evaluations) = m_run->evaluations().since(m_evaluations);
    std::tie(news.probes, m_probes) = m_run->probes().since(m_probes);
    std::tie(news.checkpoints, m_checkpoints) = m_run->checkpoints().since(m_checkpoints);
    return news;
}

} // namespace retort
