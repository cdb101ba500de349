/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers "May A do X to B?" for a checked policy: each conduit is tried in turn and gives yes, or
 * the step at which it refuses. A packet passes if any conduit allows it. Pure; allocates in the
 * caller's arena. As in a proof (prove.c), a service whose commands are not inspected allows all
 * commands, and a conduit that only observes lets everything pass, whatever its rows say.
 */
#ifndef SEKISHO_POLICY_SPACE_ASKED_H
#define SEKISHO_POLICY_SPACE_ASKED_H

#include "appliance/base/json.h"
#include "policy/check/model.h"
#include "policy/read/compilation.h"

/* One end: the addresses of a zone or an asset, or the address of one host. `zone` is NULL for an
 * address that lies in no zone. */
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
#define LACK(id, ...) id,
#include "policy/space/lack.def"
	ASKED_NOTHING, /* it allows this */
};

struct asked_line {
	const struct model_conduit *conduit;
	const struct model_service *service; /* NULL below ASKED_SERVICE */
	/* the row that allows it; NULL: the service allows the whole protocol, or nothing
	 * matched */
	const struct model_allow *allow;
	enum asked_lack lack;
	bool observed; /* the rows refuse it, but it passes because the conduit only observes */
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
/* The address families in which the service allows one of these ports: 1 IPv4, 2 IPv6, 3 both. */
unsigned asked_families(const struct model_service *s, const struct ir_port *asked);
/* The classes of commands (CLASS_*) that the conduit allows over this service at this moment, or
 * would allow if its door were open. */
unsigned asked_classes(const struct model *m, const struct model_conduit *c, const struct model_service *s,
		       uint64_t at);

/* ---- questions in words (asking.c) ----------------------------------------------------------- */

/*
 * Answers questions of `ask`: on the command line for a policy in files, and over the web for the
 * policy in force (appliance/compile). A question comes in words; its answer is JSON with sentences
 * in every language. Pure; each JSON is a new reference.
 */

/* The question as it was typed; NULL: a word was not given. Without `from` it asks who can do this
 * to `to`, without `to` what can be reached from `from`. */
struct asking_words {
	const char *from, *to, *service, *command, *address, *value;
	uint64_t at; /* seconds since 1970 */
};

/* Takes from the doors in the box's `status` which doors are open at that moment, until when and by
 * whom. To be called before the question. Without this call all doors are shut. */
void asking_doors(const struct compilation *c, const json_t *doors, uint64_t at);
/* The answer as in docs/json.md. If the question has no meaning, *ret_meant is false and the answer
 * is {"error":{...}}. The compilation must have a model. */
json_t *asking_answer(const struct compilation *c, const struct asking_words *w, bool *ret_meant);

#define RANGES_TEXT 200u

/* "10.1.0.5, 10.1.2.0/24, +3" */
void ranges_text(const struct addr_range *r, size_t n, char out[RANGES_TEXT]);
/* The name of the text with its line; borrowed. */
const char *conduit_file(const struct compilation *c, const struct model_conduit *d);
/* {"conduit","file","line"} */
json_t *hop_json(const struct compilation *c, const struct model_conduit *d);
/* The same, with everything else that `ask` tells about a conduit. */
json_t *line_json(const struct compilation *c, const struct asked_line *l);

/* ---- walks (walks.c) ------------------------------------------------------------------------- */

/*
 * Walks over chains of conduits, by the graph of the proof (prove.c): who can reach an end to do
 * something there, and what can be reached from an end. As in a proof, any permission is enough for
 * a hop before the last one, walks go from zone to zone, and no walk goes on from an asset that a
 * `chain_break` names. A walk does not return to the zone in which it begins or which it is to
 * reach, because packets within a zone do not cross the box. Pure; allocates in the caller's arena,
 * whose failure flag is set when a result is missing for want of memory.
 */

struct walk {
	const struct model_conduit **hops;
	size_t n_hops;
	struct asked_line last; /* the answer of the last hop to the question */
	/* the walk starts at neighbours of the end in its zone, which the end reaches without the
	 * box */
	bool beside;
};

/*
 * Finds who may do what is asked to q->to: for each conduit with which a walk can begin, the
 * shortest walk. Short walks come first. q->from is not read.
 */
size_t walks_to(const struct model *m, const struct asked *q, struct arena *a, struct walk **ret);
/* Finds what these ends reach: for each conduit with which a walk can end, the shortest walk.
 * `last` is the row that lets most pass. */
size_t walks_from(const struct model *m, const struct asked_end *from, size_t n, uint64_t at, struct arena *a,
		  struct walk **ret);

/* ---- walks as JSON (chained.c) --------------------------------------------------------------- */

/* One source of `who-can` and one place of `reach`, as in docs/json.md. */
json_t *walk_source_json(const struct compilation *c, const struct walk *w);
json_t *walk_reached_json(const struct compilation *c, const struct walk *w, uint64_t at);
/* Whether a service of the conduit goes there at that moment; *ret_classes is 0 for a service
 * without commands. */
bool walk_goes(const struct model *m, const struct model_conduit *d, size_t i, uint64_t at, unsigned *ret_classes);

#endif
