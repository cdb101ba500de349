/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy text as a tree of settings with their positions, before their meaning is known.
 *
 * The scanner builds the tree and the positions. The parser compares it with libconfig's tree, and
 * takes the values from that. The checks read it. Everything lives in the arena of the compile run;
 * strings are NUL-terminated UTF-8. Immutable once parsed.
 */
#ifndef SEKISHO_POLICY_READ_AST_H
#define SEKISHO_POLICY_READ_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/diag.h"

/* One bit each, so that a key can state several. A list is ( ... ), an array [ ... ]. */
enum ast_kind {
	AST_GROUP = 1,
	AST_LIST = 2,
	AST_ARRAY = 4,
	AST_STRING = 8,
	AST_NUMBER = 16,
	AST_BOOL = 32,
};
#define AST_LISTS (AST_LIST | AST_ARRAY)

struct ast_node {
	enum ast_kind kind;
	uint32_t n;		/* children */
	const char *name;	/* of a setting; NULL for an element of a list */
	struct srcpos at;	/* the name, or the value of an element */
	struct srcpos value_at; /* the value, or its opening bracket */
	uint32_t width;		/* characters at `at` */
	uint32_t value_width;	/* characters at `value_at`; 1 for a bracket */
	bool hex;		/* a number written with 0x */
	bool of_fleet;		/* an asset: a machine's member */
	struct ast_node *child; /* first */
	struct ast_node *next;	/* sibling, in the order of the text */
	union {
		const char *string;
		int64_t number;
		bool truth;
	};
};

#endif
