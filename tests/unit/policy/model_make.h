/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models made by hand, for tests of what comes after the checker: a few zones with networks of both
 * families, and conduits between them in one line each. All memory is in the maker's arena; an
 * invalid call aborts the test.
 */
#ifndef SEKISHO_TESTS_MODEL_MAKE_H
#define SEKISHO_TESTS_MODEL_MAKE_H

#include "appliance/base/arena.h"
#include "policy/check/model.h"
#include "policy/check/model_box.h"
#include "policy/check/model_claims.h"
#include "policy/compile/compile.h"
#include "policy/ir/evaluate.h"
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

/* A site for demonstration: office, tos, crane, internet; overlapping conduits over six interfaces,
 * both address families, an `until`, ICMP. */
void maker_site(struct model_maker *k);
/* Adds a conduit of EtherNet/IP over TCP and UDP, from a tos host to a crane. One worker has to see
 * all its sessions. */
void maker_together(struct model_maker *k);
/* A random model from this seed. */
void maker_random(struct model_maker *k, unsigned *seed);
/* A random model in which some conduits have hours and begin on a certain day; times lie in one
 * week of 1970. */
void maker_random_hours(struct model_maker *k, unsigned *seed);
/* A packet near the limits of what the model allows. */
struct question maker_question(const struct model_maker *k, unsigned *seed);

/* The end of a random conduit or the second before it; `otherwise` if the conduit has no end. */
uint64_t maker_end(const struct model_maker *k, unsigned *seed, uint64_t otherwise);

bool maker_lower(struct model_maker *k); /* policy_lower; diagnostics stay in k->c.diags */

/* evaluate_model.c: indexes of all conduits that allow the packet; ascending. `cap` bounds
 * `conduits`; returns how many there are. */
size_t evaluate_model(const struct model *m, const struct question *q, uint32_t *conduits, size_t cap);

#endif
