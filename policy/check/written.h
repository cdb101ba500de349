/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expands groups, fleets, `each`, several zones and defaults, before any rule of the language is
 * checked. Later stages do not know these words. Nodes made here have the positions of the text
 * from which they were made. All memory is the compile run's arena.
 */
#ifndef SEKISHO_POLICY_CHECK_WRITTEN_H
#define SEKISHO_POLICY_CHECK_WRITTEN_H

#include "policy/check/check.h"
#include "policy/check/names.h"
#include "policy/check/say.h"
#include "policy/read/read.h"

/* largest number of nodes and names that are made: as many as a text may have */
#define WRITTEN_MAX SCAN_NODES_MAX

enum kind { KIND_ZONE, KIND_ASSET, KIND_SERVICE, KINDS };

/* A zone, asset or service of the text. */
struct thing {
	const struct ast_node *node;
	uint32_t stamp; /* stamp of the last list to which it was added */
};

/* Names in the order in which they were found, each once. */
struct words {
	const char **list;
	size_t n, room;
};

struct written {
	struct check *k;
	struct names things[KINDS]; /* of struct thing */
	/* in the order of the text; NULL when there are none */
	const struct ast_node *sections[KINDS];
	struct names groups; /* of struct group */
	struct names fleets; /* of struct fleet */
	uint32_t stamp;
	size_t nodes; /* number of nodes that were made */
	/* position of the object that is being expanded, for the message that there are too many */
	struct srcpos from;
	bool full; /* it was reported that there are too many nodes, and no more are made */
};

/* The expanded policy; `root` itself if there is nothing to expand. NULL when memory is out. */
const struct ast_node *write_out(struct check *k, const struct ast_node *root);

/* ---- nodes (check/nodes.c) ---- */

/* A copy of a node without siblings, or a new node at its position; NULL when there are
 * too many. */
struct ast_node *node_like(struct written *w, const struct ast_node *like);
/* A new group or list with the name and the position of `like`, but without members. */
struct ast_node *node_empty(struct written *w, const struct ast_node *like);
struct ast_node *node_text(struct written *w, const struct ast_node *at, const char *name, const char *text);
/* Appends to the group or list; `last` is its last child, NULL when it has none. */
void node_append(struct ast_node *parent, struct ast_node **last, struct ast_node *n);
const struct ast_node *node_member(const struct ast_node *group, const char *name);

/* ---- fleets (check/fleets.c) ---- */

/* A machine of a fleet. The names of its assets begin with its name: "rtg07.plc". */
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

/* Reads `fleets`; the assets of their machines are appended to the group `assets`. */
void fleets_read(struct written *w, const struct ast_node *node, struct ast_node *assets);
/* The assets of the text as a group, whether the text has a group or a list; NULL when it has
 * neither, or memory is out. */
struct ast_node *assets_read(struct written *w, const struct ast_node *node);

/* ---- isolations (check/isolations.c) ---- */

/* The section with each group that a `cut` names written out. */
struct ast_node *isolations_write(struct written *w, const struct ast_node *section);

/* ---- groups (check/groups.c) ---- */

/* Reads `groups` against the things; what is wrong is reported. */
void groups_read(struct written *w, const struct ast_node *node);
/* If the word is the name of a group, returns true and the names of this kind in it. A group of
 * another kind is reported. */
bool group_words(struct written *w, const struct ast_node *word, enum kind kind, struct object o, struct words *ret);
/* words_begin begins a list; words_add adds a name, unless that list has it already. */
void words_begin(struct written *w, struct words *list);
void words_add(struct written *w, enum kind kind, const char *name, struct words *list);

#endif
