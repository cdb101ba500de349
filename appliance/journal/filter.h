/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides whether a line of the record file matches a filter. Except for addresses, the line is not
 * parsed: its form is our own, and the contents of a JSON string cannot look like a key. Journal
 * role only; pure.
 */
#ifndef SEKISHO_JOURNAL_FILTER_H
#define SEKISHO_JOURNAL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/wire/filter.h"

#define FILTER_COMMANDS 16u /* commands in one question */

/* A command in a question, given by class, by name or by code. */
struct command_asked {
	unsigned classes; /* CLASS_*; 0 = by name or code */
	bool by_code;
	uint8_t size; /* bytes of the name, or of the code in decimal */
	char word[FILTER_TEXT];
};

struct line_filter {
	const struct event_filter *asked;
	struct addr_range hosts;
	unsigned gravity; /* enum event_severity: the lowest one that matches */
	struct command_asked commands[FILTER_COMMANDS];
	unsigned n_commands;
	uint64_t least, most; /* the range of FILTER_VALUE */
};

/* `asked` is borrowed. False when a verdict, severity, kind, protocol, reason, command, value,
 * moment or address in it is invalid. */
bool line_filter_make(const struct event_filter *asked, struct line_filter *ret);
bool line_filter_match(const struct line_filter *f, const char *line, size_t n);

/* ---- shared with search.c: how a line is read ---- */

/* The value of a key, after its opening quote; NULL when the line has no such key. */
const char *line_value(const char *line, size_t n, const char *key);
/* The value of a key that is a number or an object. NULL when the line has no such key. */
const char *line_bare(const char *line, size_t n, const char *key);
/* The address of an end: "10.0.0.1:502" or "[::1]:502". */
bool line_end(const char *line, size_t n, const char *key, struct addr *ret);

#endif
