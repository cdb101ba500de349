/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers "May A do X to B?" for a checked policy: each conduit is tried in turn and gives yes, or
 * the step at which it refuses. A packet passes if any conduit allows it. Pure; allocates in the
 * caller's arena. As in a proof (prove.c), a service whose commands are not inspected counts as all
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
	const struct ir_port *port;	     /* NULL: any; borrowed */
	/* a word of command, or a function's name or number; NULL: any permission; borrowed */
	const char *command;
	/* a key of the protocol's data, and addresses of it; NULL: any; borrowed */
	const char *place, *numbers;
	const char *value; /* NULL: any; borrowed */
	uint64_t at;	   /* the moment, seconds since 1970 */
};

/* The step at which a conduit refuses. Later values are nearer to a yes. */
enum asked_lack {
	ASKED_ENDS,   /* it connects other zones */
	ASKED_SOURCE, /* its source has the zone, but not the host */
	ASKED_DESTINATION,
	ASKED_SERVICE,
	ASKED_COMMAND,
	ASKED_PLACE,
	ASKED_VALUE,
	ASKED_OVER,    /* it allows this, but it has ended */
	ASKED_SHUT,    /* it allows this, but it is shut at that moment */
	ASKED_DOOR,    /* it will allow this when its door is opened */
	ASKED_NOTHING, /* it allows this */
};

struct asked_line {
	const struct model_conduit *conduit;
	const struct model_service *service; /* NULL below ASKED_SERVICE */
	/* the row that allows it; NULL: the service allows the whole protocol, or nothing
	 * matched */
	const struct model_allow *allow;
	enum asked_lack lack;
	bool observed; /* a yes because the conduit only observes */
	/* After a yes: when the conduit shuts; 0 = never. After ASKED_SHUT: when it opens; 0 =
	 * never. */
	uint64_t end;
};

/* What one conduit says. */
struct asked_line ask_conduit(const struct model *m, const struct model_conduit *c, const struct asked *q);

/*
 * Whether the words of the question have a meaning in at least one protocol that the question can
 * be about. False: *ret_word is the first word without a meaning.
 */
bool asked_words(const struct asked *q, const char **ret_word);

/*
 * Finds what a person names: a zone or asset by name or label, a machine of a fleet (all its
 * members), a group of these, or an address. Returns one end for each zone concerned, in the arena;
 * 0: nothing has this name, or the arena has failed.
 */
size_t asked_ends(const struct model *m, const char *text, struct arena *a, struct asked_end **ret);
/* Whether some address of the end is in these ranges. */
bool asked_end_meets(const struct asked_end *end, const struct addr_range *ranges, size_t n);
/* The classes of commands (CLASS_*) that the conduit allows over this service at this moment, or
 * would allow if its door were open. */
unsigned asked_classes(const struct model *m, const struct model_conduit *c, const struct model_service *s,
		       uint64_t at);

#endif
