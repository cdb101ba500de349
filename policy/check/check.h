/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks: AST in, model out, with every rule of the language enforced. Internal to
 * policy_check(); one file per kind of object, each with the table of its keys at the top: a new
 * policy key is a row there, a field in the model, and its use.
 *
 * All memory is in the compile run's arena; everything is read-only once made. A check reports a
 * mistake and goes on with a harmless value, so that one run reports all mistakes; the model is
 * returned only when there was none.
 */
#ifndef SEKISHO_POLICY_CHECK_CHECK_H
#define SEKISHO_POLICY_CHECK_CHECK_H

#include "policy/check/model.h"
#include "policy/check/model_box.h"
#include "policy/check/names.h"
#include "policy/check/say.h"
#include "policy/read/ast.h"
#include "policy/read/compilation.h"

#define DATED 32u /* size of the cache of dates: the largest number of members of a fleet */

struct check {
	struct compilation *c;
	const struct policy_loader *l;
	struct arena *a;
	struct diags *d;
	struct model *m;
	uint64_t now; /* seconds since 1970, for overdue dates */
	/* the last dates that were judged, a ring buffer; the next one is stored at n_dated */
	struct srcpos dated[DATED];
	size_t n_dated;
	/* the site, if it has to say how long records are kept, and does not; otherwise NULL */
	const struct ast_node *unkept;
	/* by zone index: some networks of the zone could not be read, so no address is reported as
	 * outside the zone */
	bool *unsure;
	/* by zone index: the zone's setting `networks`, or NULL */
	const struct ast_node **networks;
	struct names interfaces, zones, assets, services, windows, doors;
	/* errors that change nothing of what passes, such as a missing `purpose`: the proofs run
	 * all the same, so that one run finds all errors */
	size_t harmless;
};

/* ---- doors (check/doors.c) ---- */

/* check_doors comes before the conduits, which name doors. check_doors_used comes after the
 * organisations, and checks whether each door is used. */
void check_doors(struct check *k, const struct ast_node *node);
void check_doors_used(struct check *k);

#define INTERFACES_MAX 256u /* interfaces of a box, at most */

/* ---- kinds of objects; `node`: the section of the kind, NULL when the text has none ---- */

void check_box(struct check *k, const struct ast_node *root);
/* Used without box.cfg: every interface that a zone names is a device of that name. */
void check_box_default(struct check *k, const struct ast_node *zones);
/*
 * Sides of one network (check/between.c). check_betweens reads the list. check_sides comes after
 * the zones: it finds the side of each host, and makes a route to the host. check_answers comes
 * after the assets: it finds the hosts for which each side answers.
 */
void check_betweens(struct check *k, const struct ast_node *list);
void check_sides(struct check *k);
void check_answers(struct check *k);

/* ---- hosts with which the box itself communicates (check/peers.c) ---- */

/* Reads the parts of box.cfg about hosts with which the box itself communicates: time, log, UPS,
 * terminals, update, mail, SNMP, backup; NULL where there is none. */
#define PEER_NODES 8u
void check_peers(struct check *k, const struct ast_node *const nodes[PEER_NODES]);
void check_site(struct check *k, const struct ast_node *node);
void check_zones(struct check *k, const struct ast_node *node);
/*
 * For an `r` outside the zone: returns true if one of the zone's networks was written without a
 * prefix length, and would contain `r` with one. This is reported once for the network, and no
 * further address is reported as outside the zone.
 */
bool check_lone_network(struct check *k, const struct model_zone *z, const struct addr_range *r);
void check_assets(struct check *k, const struct ast_node *node);
void check_services(struct check *k, const struct ast_node *node);
/* The services that the list names. Returns how many. */
size_t check_services_named(struct check *k, const struct ast_node *list, struct object o,
			    const struct model_service ***ret);
void check_allows(struct check *k, const struct ast_node *list, struct model_service *s);
/* Returns the zone. Refuses `self`, because no conduit begins or ends at the box itself. */
const struct model_zone *check_not_self(struct check *k, const struct ast_node *node, const struct model_zone *z,
					struct object o);
void check_conduits(struct check *k, const struct ast_node *node);
/* To be called after the conduits, because it sets when they end: a conduit from or to the zone of
 * an organisation ends with the organisation's contract at the latest. */
void check_organisations(struct check *k, const struct ast_node *node);
void check_nevers(struct check *k, const struct ast_node *node);
void check_always(struct check *k, const struct ast_node *node);
void check_breaks(struct check *k, const struct ast_node *node);
/* To be called after the conduits. */
void check_isolations(struct check *k, const struct ast_node *node);
/* Marks the conduits that have this name, or were expanded from it. False: there is none. */
bool conduits_named(const struct model *m, const char *word, bool *which);
/* What must be heard before a trial is confirmed (check/needs.c). To be called after the
 * conduits. */
void check_confirm_needs(struct check *k, const struct ast_node *list);
/* Reads words of `commands` as CLASS_* bits. `v`: a vocabulary for hints about function names,
 * or NULL. */
unsigned classes_of(struct check *k, const struct ast_node *list, const struct vocabulary *v, struct object o);

#endif
