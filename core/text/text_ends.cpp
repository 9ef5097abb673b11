#include "core/text/text_ends.h"

#include <algorithm>
#include <iterator>

namespace retort {

bool ends_an_answer(std::string_view spelling)
{
    constexpr std::string_view kEnds[] = {"<|eot_id|>",
                                          "<|im_end|>",
                                          "<|end|>",
                                          "<end_of_turn>",
                                          "<|endoftext|>",
                                          "<|end_of_text|>",
                                          "<|eom_id|>",
                                          "<EOT>",
                                          "<eos>",
                                          "</s>",
                                          "<|return|>",
                                          "<|end_of_turn|>",
                                          "<|endofturn|>",
                                          "<turn|>",
                                          "<|END_OF_TURN_TOKEN|>",
                                          "<|eot|>",
                                          "<|role_end|>",
                                          "[EOS]",
                                          "<|END_OF_TEXT|>",
                                          "<\xEF\xBD\x9C"
                                          "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"};
    return std::find(std::begin(kEnds), std::end(kEnds), spelling) != std::end(kEnds);
}

bool begins_a_text(std::string_view spelling)
{
    constexpr std::string_view kBegins[] = {"<s>",
                                            "<bos>",
                                            "<|begin_of_text|>",
                                            "<|startoftext|>",
                                            "<BOS_TOKEN>",
                                            "<\xEF\xBD\x9C"
                                            "begin\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"};
    return std::find(std::begin(kBegins), std::end(kBegins), spelling) != std::end(kBegins);
}

} // namespace retort
