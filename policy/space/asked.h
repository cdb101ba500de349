/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "May A do X to B?" of a checked policy: each conduit is tried in turn and gives yes, or the step
 * at which it refuses. A packet passes if any conduit allows it. Pure; allocates in the caller's
 * arena. As in a proof (prove.c), a service whose commands are not inspected counts as all
 * commands, and what a conduit only observes passes whatever its rows say.
 */
#ifndef SEKISHO_POLICY_SPACE_ASKED_H
#define SEKISHO_POLICY_SPACE_ASKED_H

#include "policy/check/model.h"

/* One end: the addresses of a zone, of an asset, or one host's. `zone` is NULL for an address that
 * lies in none. */
struct asked_end {
	const struct model_zone *zone;
	const struct model_asset *asset; /* NULL: none was named */
	const struct addr_range *ranges; /* borrowed; sorted, disjoint */
	size_t n;
};

struct asked {
	struct asked_end from, to;
	const struct model_service *service; /* NULL: any */
	enum protocol protocol;		     /* PROTO_NONE: any */
	const struct model_port *port;	     /* NULL: any; borrowed */
	/* a word of command, or a function's name or number; NULL: any permission; borrowed */
	const char *command;
	/* a key of the protocol's data, and addresses of it; NULL: any; borrowed */
	const char *place, *numbers;
	const char *value; /* NULL: any; borrowed */
	uint64_t at;	   /* the moment, seconds since 1970 */
};

/* How far a conduit came: the further, the nearer it is to a yes. */
enum asked_lack {
	ASKED_ENDS,   /* it is between others */
	ASKED_SOURCE, /* of that zone, but not that host */
	ASKED_DESTINATION,
	ASKED_SERVICE,
	ASKED_COMMAND,
	ASKED_PLACE,
	ASKED_VALUE,
	ASKED_OVER,    /* it would, and has ended */
	ASKED_SHUT,    /* it would, and is shut at that moment */
	ASKED_DOOR,    /* it would, once its door is open */
	ASKED_NOTHING, /* yes */
};

struct asked_line {
	const struct model_conduit *conduit;
	const struct model_service *service; /* NULL below ASKED_SERVICE */
	const struct model_allow *allow;     /* the row; NULL: the whole protocol, or none */
	enum asked_lack lack;
	bool observed; /* yes, since nothing is stopped there */
	/* of a yes: until when it is open; of ASKED_SHUT: when it opens. 0 = for good, never */
	uint64_t end;
};

/* What one conduit says. */
struct asked_line ask_conduit(const struct model *m, const struct model_conduit *c, const struct asked *q);

/*
 * Whether the words of the question mean something to at least one protocol that it may be about;
 * false: *ret_word is the first that means nothing.
 */
bool asked_words(const struct asked *q, const char **ret_word);

/*
 * What a person calls so: a zone's or an asset's name or label, a machine of a fleet (all its
 * members), a group of these, an address. One end for each zone that it lies in, in the arena; 0:
 * nothing is called so, or the arena has failed.
 */
size_t asked_ends(const struct model *m, const char *text, struct arena *a, struct asked_end **ret);
/* Some address of the end is among these. */
bool asked_end_meets(const struct asked_end *end, const struct addr_range *ranges, size_t n);
/* The classes of commands (CLASS_*) that this service of the conduit carries from one zone to the
 * other at this moment, also once its door is open. */
unsigned asked_classes(const struct model *m, const struct model_conduit *c, const struct model_service *s,
		       uint64_t at);

#endif
