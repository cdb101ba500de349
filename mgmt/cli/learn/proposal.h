/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of a proposal: propose.c makes its lines, propose_rows.c their rows, and
 * propose_text.c writes them. No one else includes this. */
#ifndef SEKISHO_MGMT_CLI_LEARN_PROPOSAL_H
#define SEKISHO_MGMT_CLI_LEARN_PROPOSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "appliance/base/arena.h"
#include "appliance/base/messages.h"
#include "mgmt/cli/learn/learn.h"
#include "policy/check/model.h"
#include "policy/read/ast.h"

#define NS 1000000000u
#define HOST_ZONE "host-"

/* behind a row in its text: here the number of its operations goes, which lines that are joined do
 * not have in common */
#define ROW_COUNT '\x1f'

/* The rows of `allow`. */
struct allowed {
	const char *text; /* "" = none */
	uint64_t *seen;	  /* how many operations each row allows of those that were seen */
	size_t n;
	/* how many of the rows allow more than was seen, which a comment in the text says */
	size_t wide;
};

/* A proposed conduit. At first each line has one client and one server; then lines that differ in
 * one end only are joined. */
struct line {
	const char *from, *to;
	struct addr client, server;
	uint8_t l4proto;
	uint16_t port;
	enum protocol protocol, guess;
	struct allowed rows;
	/* ends as text, in quotes: "10.0.0.1", "rtg01.plc"; NULL: not joined yet */
	const char *sources, *destinations;
	uint64_t sessions, guessed;
	uint32_t undecided; /* bytes; the largest value of all lines with this service */
	size_t service;	    /* index of the first line with the same service */
};

/* Whether both ends are in one zone. The box sees such a session only if it stands between them. */
static inline bool line_is_inside(const struct line *l)
{
	return strcmp(l->from, l->to) == 0;
}

struct proposal {
	struct cli *cli;
	struct arena *arena;
	const struct learnt *learnt;
	const struct model *model;
	struct ir *ir;
	const struct ast_node *groups;
	struct tag_names *tags; /* NULL: none */
	struct addr *split;	/* networks in which each host is a zone of its own, sorted */
	size_t n_split;
	/* public networks that are zones, sorted; all other public addresses are outside */
	struct addr *inside;
	size_t n_inside;
	struct line *lines;
	size_t n;
	/* sessions without a line: already allowed, inside one zone, in no zone, of unknown
	 * protocol */
	uint64_t allowed, within, nowhere, unclear;
};

/* The network that an address is in when no policy defines zones: 24 bits for IPv4, 64 bits for
 * IPv6. */
struct addr proposal_network(const struct addr *a);
/* The text that a memory stream collected, in the arena, which has failed if this returns NULL.
 * Closes the stream (NULL: there was no memory for it), and frees its text. */
const char *proposal_collected(struct proposal *p, FILE *to, char **text);
/* The rows of `allow` for these acts, of which at least one makes a row. The text is NULL when
 * memory is out. */
struct allowed proposal_rows(struct proposal *p, const struct act *acts, size_t n);
/* False when memory is out. */
bool proposal_text(struct proposal *p, const char *from);
void proposal_json(const struct proposal *p);

/* The first asset in this zone whose only address is `host`, including members of fleets; NULL:
 * there is none. */
const char *named_host(const struct model *m, const char *zone, const struct addr *host);
/* The first of `groups` (NULL: no groups) that has exactly these `n` assets, which must be
 * distinct; NULL: there is none. */
const char *named_group(const struct model *m, const struct ast_node *groups, const char *const *assets, size_t n);

/* Whether `sekisho check` would accept the text of `size` bytes, with a NUL after them. False: it
 * would refuse it; `why` has the reason and the line. Pure but for memory. */
bool proposal_checked(const char *text, size_t size, enum lang lang, char *why, size_t why_size);

#endif
