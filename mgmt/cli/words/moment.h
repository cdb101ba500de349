/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time, as people write them. */
#ifndef SEKISHO_MGMT_CLI_WORDS_MOMENT_H
#define SEKISHO_MGMT_CLI_WORDS_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#define MOMENT_TEXT 40

/*
 * Reads a time before now ("30m", "24 h", "7 d"), a day ("2027-03-31", local time), or a moment
 * with its offset ("2027-03-31T09:00:00+09:00"). Writes it in the form of an event's time, which
 * can be compared as text. False for anything else, including days that do not exist and moments
 * before 1970.
 */
bool moment_parse(const char *text, char out[MOMENT_TEXT]);
/* As moment_parse, but gives seconds since 1970. */
bool moment_seconds(const char *text, uint64_t *ret);

#endif
