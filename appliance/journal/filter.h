/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a line of the record file match? Without parsing it, but for addresses: its form is our own, and a text inside of a
 * JSON string cannot look like a key. Journal role only; pure.
 */
#ifndef SEKISHO_JOURNAL_FILTER_H
#define SEKISHO_JOURNAL_FILTER_H

#include <stddef.h>

#include "appliance/base/addr.h"
#include "appliance/wire/event_filter.h"

struct line_filter {
	const struct event_filter *asked;
	struct addr_range hosts;
	unsigned gravity; /* enum event_severity: at least */
};

/* `asked` is borrowed. False when a verdict, severity, kind or address in it is none. */
bool line_filter_make(const struct event_filter *asked, struct line_filter *ret);
bool line_filter_match(const struct line_filter *f, const char *line, size_t n);

/* ---- shared with sketch.c: how a line is read ---- */

/* The value of a key, behind its opening quote; NULL when the line has no such key. */
const char *line_value(const char *line, size_t n, const char *key);
/* The address of an end: "10.0.0.1:502" or "[::1]:502". */
bool line_end(const char *line, size_t n, const char *key, struct addr *ret);

#endif
