/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a line of the record file match? Without parsing it, but for addresses: its form is our own, and a text inside of a
 * JSON string cannot look like a key. Journal role only; pure.
 */
#ifndef SEKISHO_JOURNAL_FILTER_H
#define SEKISHO_JOURNAL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/wire/event_filter.h"

#define FILTER_COMMANDS 16u /* of one question */

/* One of the commands that are asked for: by the class that it is of, or by its name, or by its code. */
struct command_asked {
	unsigned classes; /* CLASS_*; 0 = by name or code */
	bool by_code;
	uint8_t size; /* of the name, or of the code in decimal */
	char word[FILTER_TEXT];
};

struct line_filter {
	const struct event_filter *asked;
	struct addr_range hosts;
	unsigned gravity; /* enum event_severity: at least */
	struct command_asked commands[FILTER_COMMANDS];
	unsigned n_commands;
	uint64_t least, most; /* FILTER_VALUE */
};

/* `asked` is borrowed. False when a verdict, severity, kind, protocol, reason, command, value, moment or address in it is none. */
bool line_filter_make(const struct event_filter *asked, struct line_filter *ret);
bool line_filter_match(const struct line_filter *f, const char *line, size_t n);

/* ---- shared with sketch.c: how a line is read ---- */

/* The value of a key, behind its opening quote; NULL when the line has no such key. */
const char *line_value(const char *line, size_t n, const char *key);
/* What stands behind a key that is no text: a number, or an object. NULL when the line has no such key. */
const char *line_bare(const char *line, size_t n, const char *key);
/* The address of an end: "10.0.0.1:502" or "[::1]:502". */
bool line_end(const char *line, size_t n, const char *key, struct addr *ret);

#endif
