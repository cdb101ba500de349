/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rows of a .def say about the box's JSON (docs/json.md): values, conditions and sentences.
 * Pure; a missing member does no harm.
 *
 * A value is written as alternatives with commas between them, of which the first that is not
 * empty counts: "label,name,'-'".
 *
 *   a.b           the text, number or truth at `b` of `a` of this row; "a.0": of a list;
 *                 "/a": of the whole answer; ".": the row itself
 *   'text'        this text
 *   kind:a        made from it: value.def
 *   word.SUBJECT:a   as words.def says
 *   end.client:a     this end of a session
 *   total.b+c:a      the sum of these members of the list's objects
 *   join.b:a         these members, with ", " between them
 *   {a} -> {b}    a text with values in it; without alternatives
 *
 * A condition is terms with spaces between them, which must all hold; each is alternatives with "|"
 * between them: "a" (not empty, 0 or false), "!a", "?a" (it is there), "a=text", "a!=text", "a>b"
 * (numbers; `a` and `b` are single values). "" always holds.
 */
#ifndef SEKISHO_MGMT_CLI_WORDS_VALUE_H
#define SEKISHO_MGMT_CLI_WORDS_VALUE_H

#include "mgmt/state/read.h"

#define VALUE_ARGS 8u

/* Where a row's paths begin. */
struct value_place {
	const json_t *root, *row;
	enum lang lang;
};

/* The member at this path. NULL: there is none. */
const json_t *value_at(const struct value_place *p, const char *path);
/* The value as text, malloc'd; NULL: no memory. */
char *value_text(const struct value_place *p, const char *value);
bool value_holds(const struct value_place *p, const char *condition);
/* The sentence with these values as its arguments, malloc'd; NULL: no memory. */
char *value_sentence(const struct value_place *p, enum message m, const char *const args[VALUE_ARGS]);

#endif
