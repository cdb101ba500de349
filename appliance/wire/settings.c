/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/settings.h"

const char *const mode_words[] = { "enforce", "observe", NULL };
const char *const tighten_words[] = { "all", "new_flows", NULL };
const char *const criticality_words[] = { "safety", "cargo", "support", NULL };
const char *const failure_words[] = { "closed", "hold", "open", NULL };
const char *const midstream_words[] = { "drop", "reset", "pick_up", NULL };
const char *const lane_kind_words[] = { "naming", "commands", NULL };
const char *const zone_class_words[] = { "it", "operations", "ot", "external", "test", "management", NULL };
