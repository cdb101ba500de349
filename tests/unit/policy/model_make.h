/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models by hand, for tests of what stands behind the checker: a few zones with networks of both
 * families, and conduits between them in one line each. Everything lives in the maker's arena; a
 * broken call aborts the test.
 */
#ifndef SEKISHO_TESTS_MODEL_MAKE_H
#define SEKISHO_TESTS_MODEL_MAKE_H

#include "appliance/base/arena.h"
#include "policy/check/model.h"
#include "policy/compile/compile.h"
#include "policy/render/render.h"
#include "policy/space/prove.h"

struct model_maker {
	struct arena *arena;
	struct model m;
	struct compilation c; /* .model points at m */
	uint32_t line;	      /* the next object's */
};

void maker_init(struct model_maker *k);
void maker_free(struct model_maker *k);

struct model_interface *maker_interface(struct model_maker *k, const char *name);
/* Space-separated interface names (made before) and prefixes or single addresses. */
struct model_zone *maker_zone(struct model_maker *k, const char *name, const char *interfaces, const char *networks);
struct model_asset *maker_asset(struct model_maker *k, const char *name, struct model_zone *z, const char *addresses);
/* ports: "tcp/502 udp/53 tcp/1000-2000 icmp/8"; whole protocol. */
struct model_service *maker_service(struct model_maker *k, const char *name, enum protocol p, const char *ports);
/* Turns a service into one with rows and adds a row: classes of functions, holding
 * registers lo..hi. */
void maker_allow(struct model_maker *k, struct model_service *s, unsigned classes, uint32_t lo, uint32_t hi);
/* sources and destinations: "" = the whole zone. Strict settings, enforce. */
struct model_conduit *maker_conduit(struct model_maker *k, const char *name, struct model_zone *from,
				    struct model_zone *to, const char *sources, const char *destinations,
				    struct model_service *service);
struct model_never *maker_never(struct model_maker *k, struct model_zone *from, struct model_zone *to, unsigned classes,
				bool chain);
void maker_break(struct model_maker *k, struct model_asset *a);

/* The demonstration site of the design, with the chain left out: office, tos, crane, internet; six
 * interfaces' worth of overlapping conduits, both families, an `until`, ICMP. */
void maker_site(struct model_maker *k);
/* Beside the site's conduits one of EtherNet/IP over both transports, whose sessions one worker has
 * to see: a tos host to a crane. */
void maker_together(struct model_maker *k);
/* A random model from this seed. */
void maker_random(struct model_maker *k, unsigned *seed);
/* The same, of which a part opens by hours and starts one day; moments are those of a week
 * in 1970. */
void maker_random_hours(struct model_maker *k, unsigned *seed);
/* A packet near the edges of what the model speaks of. */
struct question maker_question(const struct model_maker *k, unsigned *seed);

/* A conduit's end or the second before it; `otherwise` when the conduit drawn has none. */
uint64_t maker_end(const struct model_maker *k, unsigned *seed, uint64_t otherwise);

bool maker_lower(struct model_maker *k); /* policy_lower; diagnostics stay in k->c.diags */

/* evaluate_model.c: indexes of all conduits that allow the packet; ascending. `cap` bounds
 * `conduits`; returns how many there are. */
size_t evaluate_model(const struct model *m, const struct question *q, uint32_t *conduits, size_t cap);

#endif
