/* SPDX-License-Identifier: Apache-2.0 */
/* Spans of time as people write them, in a policy and on the command line alike. Pure. */
#ifndef SEKISHO_APPLIANCE_BASE_DURATION_H
#define SEKISHO_APPLIANCE_BASE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/* Reads a whole number and its unit, with or without a blank between them ("90 s", "30 min" or
 * "30m", "2 h", "7d"), as seconds, at most `max`. False for anything else. */
bool duration_parse(const char *text, uint64_t max, uint64_t *ret);

#endif
