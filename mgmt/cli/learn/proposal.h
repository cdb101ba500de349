/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of a proposal: propose.c makes its lines, propose_text.c writes them. No one
 * else includes this. */
#ifndef SEKISHO_MGMT_CLI_LEARN_PROPOSAL_H
#define SEKISHO_MGMT_CLI_LEARN_PROPOSAL_H

#include "appliance/base/arena.h"
#include "mgmt/cli/learn/propose.h"

#define NS 1000000000u
#define HOST_ZONE "host-"

/* One conduit to be: at first of one client and one server, then of those that can be joined. */
struct line {
	const char *from, *to;
	struct addr client, server;
	uint8_t l4proto;
	uint16_t port;
	enum protocol protocol, guess;
	const char *rows; /* of `allow`, "" = there are none */
	/* of them: allow more than was seen, which a comment says */
	size_t wide;
	/* "10.0.0.1", "rtg01.plc" in quotes; NULL: not joined yet */
	const char *sources, *destinations;
	uint64_t sessions, guessed;
	uint32_t undecided; /* bytes, the most of a line of its service */
	size_t service;	    /* its first line has the same */
};

struct proposal {
	struct cli *cli;
	struct arena *arena;
	const struct learnt *learnt;
	const struct model *model;
	struct ir *ir;
	const struct ast_node *groups;
	struct addr *split; /* networks of which hosts are zones of their own, sorted */
	size_t n_split;
	/* public networks that are zones, sorted: the others are the outside */
	struct addr *inside;
	size_t n_inside;
	struct line *lines;
	size_t n;
	/* sessions that need no line, or of which none can be made */
	uint64_t allowed, within, nowhere, unclear;
};

/* The network of an address where no policy names zones: 24 bits of IPv4, 64 of IPv6. */
struct addr proposal_network(const struct addr *a);
/* False when memory is out. */
bool proposal_text(struct proposal *p, const char *from);
void proposal_json(const struct proposal *p);

#endif
