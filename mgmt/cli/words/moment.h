/* SPDX-License-Identifier: Apache-2.0 */
/* Moments and spans of time as people write them. */
#ifndef SEKISHO_MGMT_CLI_WORDS_MOMENT_H
#define SEKISHO_MGMT_CLI_WORDS_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#define MOMENT_TEXT 40

/*
 * "30m", "24h", "7d" before now, a day ("2027-03-31", local time) or a moment with its zone
 * ("2027-03-31T09:00:00+09:00"). Into `out` in the form of an event's time, so that text compares
 * as time does. False for anything else, a day that its month does not have and a moment before
 * 1970 among it.
 */
bool moment_parse(const char *text, char out[MOMENT_TEXT]);
/* The same in seconds since 1970. */
bool moment_seconds(const char *text, uint64_t *ret);
/* "90s", "30m", "24h", "7d" in seconds, at most `max`, itself at most UINT64_MAX / 10; false for
 * anything else. */
bool moment_span(const char *text, uint64_t max, uint64_t *ret);

#endif
