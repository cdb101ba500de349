/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing out: what a policy says once for many (groups, fleets, `each`, several zones, defaults) becomes the policy that says
 * it for each, before any rule of the language is held. What is read afterwards knows none of these words. Nodes that are made
 * here have the places of the words they were made from. All memory is the compile run's arena.
 */
#ifndef SEKISHO_POLICY_CHECK_WRITTEN_H
#define SEKISHO_POLICY_CHECK_WRITTEN_H

#include "policy/check/check.h"
#include "policy/read/scan.h"

#define WRITTEN_MAX SCAN_NODES_MAX /* nodes and names that are made: as many as a text may have */

enum kind { KIND_ZONE, KIND_ASSET, KIND_SERVICE, KINDS };

/* A zone, asset or service of the text. */
struct thing {
	const struct ast_node *node;
	uint32_t stamp; /* of the last list that it was added to */
};

/* Names in the order in which they were found, each once. */
struct words {
	const char **list;
	size_t n, room;
};

struct written {
	struct check *k;
	struct names things[KINDS];		/* of struct thing */
	const struct ast_node *sections[KINDS]; /* in the order of the text; NULL when there are none */
	struct names groups;			/* of struct group */
	struct names fleets;			/* of struct fleet */
	uint32_t stamp;
	size_t nodes;	    /* that were made */
	struct srcpos from; /* of what is being written out, to say where it became too much */
	bool full;	    /* that was said: no more are made */
};

/* The policy written out; `root` itself when it says nothing for many. NULL when memory is out. */
const struct ast_node *write_out(struct check *k, const struct ast_node *root);

/* ---- nodes (check/nodes.c) ---- */

/* A copy without siblings, or a new one at a node's place; NULL when there are too many. */
struct ast_node *node_like(struct written *w, const struct ast_node *like);
struct ast_node *node_text(struct written *w, const struct ast_node *at, const char *name, const char *text);
/* Appends to the group or list; `last` is its last child, NULL when it has none. */
void node_append(struct ast_node *parent, struct ast_node **last, struct ast_node *n);
const struct ast_node *node_member(const struct ast_node *group, const char *name);

/* ---- fleets (check/fleets.c) ---- */

/* One of a fleet: its assets are called after it, "rtg07.plc". */
struct machine {
	const char *name;
	const char *label; /* "" when it has none */
};

struct fleet {
	const struct ast_node *node;
	const char *zone;
	const struct ast_node *members; /* a list of texts */
	const struct machine *machines;
	size_t n;
};

/* Reads `fleets`; the assets of their machines go behind `assets`, a group. */
void fleets_read(struct written *w, const struct ast_node *node, struct ast_node *assets);
/* The assets of the text as a group, however they are written; NULL when memory is out or it is neither group nor list. */
struct ast_node *assets_read(struct written *w, const struct ast_node *node);

/* ---- groups (check/groups.c) ---- */

/* Reads `groups` against the things; what is wrong is reported. */
void groups_read(struct written *w, const struct ast_node *node);
/* The names of this kind that the word stands for, when it is a group's: true. One of another kind is reported. */
bool group_words(struct written *w, const struct ast_node *word, enum kind kind, struct object o, struct words *ret);
/* A group of that kind, without a report. */
bool group_is(const struct written *w, const char *name, enum kind kind);
/* Adds a name, unless the list that was begun last has it. */
void words_begin(struct written *w, struct words *list);
void words_add(struct written *w, enum kind kind, const char *name, struct words *list);

#endif
