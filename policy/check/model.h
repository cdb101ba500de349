/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checked model: what a policy means. All names are resolved, and all rules of the language
 * have been checked. What a generation holds in the same form has the structure that ir/objects.def
 * describes.
 *
 * Made by check.c from the AST or by raise.c from a sealed generation, read by the stages of the
 * compiler and by the files of policy/space. Later only asking_doors changes the model: it sets
 * which doors of a box are open. Everything lives in the arena of the compile run. Cross references
 * are pointers into this model. Every object has its place in the text.
 */
#ifndef SEKISHO_POLICY_CHECK_MODEL_H
#define SEKISHO_POLICY_CHECK_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "appliance/base/addr.h"
#include "appliance/base/arena.h"
#include "appliance/base/diag.h"
#include "appliance/wire/attack.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/hours.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/settings.h"
#include "policy/check/model_box.h"
#include "policy/check/model_claims.h"
#include "policy/check/model_rows.h"
#include "policy/check/model_visitors.h"
#include "policy/ir/ir.h"

struct ast_node; /* policy/read/ast.h */

/* Members of the model that a generation keeps as they are: these lists declare them here, and copy
 * them in lower.c and raise.c. ir/objects.def has their meanings; a text is "" when absent. */
#define SAME(object, member) __typeof__(((struct object *)0)->member)(member);
#define ZONE_SAME(X) X(name) X(label) X(purpose) X(owner) X(approved_by) X(review_by) X(contact) X(class)
#define ASSET_SAME(X) X(name) X(label) X(model) X(place) X(support_until)
#define SERVICE_SAME(X) X(name) X(label) X(protocol) X(whole) X(tunnel) X(lenient) X(undecided_bytes)
/* clang-format off */
#define CONDUIT_SAME(X) \
	X(name) X(label) X(purpose) X(owner) X(approved_by) X(review_by) X(observe) X(shadow) X(until) X(starts) X(idle) \
	X(session) X(heard_within) X(criticality) X(when_down) X(when_overloaded) X(when_midstream) \
	X(tighten_new_flows) X(deny_weak_tls) X(servers) X(n_servers)
/* clang-format on */

/*
 * The rows of a checked model have the form that workers read (appliance/wire/commands.h), so that
 * proofs use the same data and the same functions as workers. The lists in rows lie in a pool of
 * the model; the compiler copies what a generation needs.
 */

struct model_zone {
#define OF_ZONE(member) SAME(ir_zone, member)
	ZONE_SAME(OF_ZONE)
	struct ir_line *lines;
	size_t n_lines;
	bool patchable;
	bool self; /* the reserved zone of the box itself: no interfaces, no ranges */
	bool rest; /* its ranges are everything that no other zone claims */
	const struct model_interface **interfaces;
	size_t n_interfaces;
	struct addr_range *ranges; /* sorted, disjoint, not touching; `rest` is already expanded */
	size_t n_ranges;
	uint32_t index; /* position in model.zones */
	struct srcpos at;
};

struct model_asset {
#define OF_ASSET(member) SAME(ir_asset, member)
	ASSET_SAME(OF_ASSET)
	const struct model_zone *zone;
	struct addr_range *ranges; /* inside the zone's */
	size_t n_ranges;
	struct srcpos at;
};

/* A name for several zones or assets, kept for questions that use it. In the rest of the model,
 * groups are expanded. */
struct model_group {
	const char *name;
	const char *const *zones, *const *assets; /* by name */
	size_t n_zones, n_assets;
};

static inline bool name_among(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

/* One row of a service's `allow` list: its lists lie in the model's pool. */
struct model_allow {
	struct command_row row;
	struct srcpos at;
};

struct model_service {
#define OF_SERVICE(member) SAME(ir_service, member)
	SERVICE_SAME(OF_SERVICE) /* `whole`: no `allow` list; `lenient`: LENIENT_* */
	/* never empty: no `ports` in the text means all of the protocol's transports */
	struct ir_port *ports;
	size_t n_ports;
	struct model_allow *allows;
	size_t n_allows;
	struct srcpos at;
};

/* Hours of the week, by the site's clocks. */
struct model_window {
	const char *name;
	const char *label; /* "" when absent */
	struct window when;
	struct srcpos at;
};

struct model_conduit {
#define OF_CONDUIT(member) SAME(ir_conduit, member)
	/* `until` is not later than the last day of `within`, nor than the end of the contract of
	 * the organisation that uses the conduit */
	CONDUIT_SAME(OF_CONDUIT)
	const struct model_zone *from, *to;
	struct addr_range *sources; /* sorted, disjoint; whole zone when the text names none */
	size_t n_sources;
	struct addr_range *destinations;
	size_t n_destinations;
	const struct model_service **services;
	size_t n_services;
	const struct model_window *within; /* NULL = at any hour */
	const struct model_door *door;	   /* NULL = behind none */
	struct ir_accept *accepts;
	size_t n_accepts;
	struct ir_exception *exception; /* NULL: the conduit is no exception */
	uint32_t index;			/* position in model.conduits */
	struct srcpos at;
};

/* Whether the conduit has ended before `now`, and so has no effect any more. */
static inline bool conduit_past(const struct model_conduit *c, uint64_t now)
{
	return c->until != 0 && c->until <= now;
}

/* The times at which the conduit is open. */
static inline struct times conduit_times(const struct model_conduit *c)
{
	return (struct times){ c->starts, c->until, c->within != NULL ? &c->within->when : NULL,
			       c->door != NULL ? &c->door->open_until : NULL };
}

/* A prepared isolation, which a person starts by its name. */
struct model_isolation {
	const char *name;
	const char *label;   /* "" when absent */
	struct ir_cut *cuts; /* what it cuts, as operands of `sekisho isolate` */
	size_t n_cuts;
	bool *keep;	   /* by conduit: whether it stays open; NULL: all are cut */
	uint32_t on_alarm; /* bits of enum attack_cause: alarms beside which it is offered */
	struct srcpos at;
};

struct model {
	const char *site_name, *site_label, *site_contact;
	bool deny_weak_tls; /* default for conduits without `weak_tls` */
	bool strict_ledger; /* entries for registers are compulsory */
	bool record_passed; /* sessions that conduits let through are recorded */
	struct model_retention {
		uint32_t keep_days, delete_after_days; /* 0 = not set */
	} retention;
	struct attack_rule detect; /* 0 = not set */
	/* the time zone as a rule, and as the text has it, if it is known; "" = not set, and days
	 * are in UTC */
	const char *time_zone, *time_zone_said;
	struct time_zone zone;
	struct model_window *windows;
	size_t n_windows;
	struct model_door *doors;
	size_t n_doors;
	struct model_records {
		const char *purpose,
			/* the purpose of keeping records, and the responsible person; "" =
			 * not set */
			*responsible;
	} records;
	struct model_box box;
	struct model_zone *zones;
	size_t n_zones;
	struct model_organisation *organisations;
	size_t n_organisations;
	struct model_asset *assets;
	size_t n_assets;
	struct model_group *groups;
	size_t n_groups;
	struct model_service *services;
	size_t n_services;
	struct model_rows rows; /* rows of the services */
	struct model_conduit *conduits;
	size_t n_conduits;
	struct model_never *nevers;
	size_t n_nevers;
	struct model_always *always;
	size_t n_always;
	struct model_chain_break *breaks;
	size_t n_breaks;
	struct model_isolation *isolations;
	size_t n_isolations;
	/* what must be heard before a trial can be confirmed: by conduit and by asset; NULL:
	 * nothing */
	bool *needs_conduit, *needs_asset;
	const struct source_text *sources;
	size_t n_sources; /* to name positions in messages */
	/* When the policy was read, in seconds since 1970. A conduit that ended before is left out
	 * of messages and proofs. The compiled rules do not depend on this. */
	uint64_t now;
};

struct compilation;   /* policy/read/compilation.h */
struct policy_loader; /* policy/read/read.h */

/* Texts in, a checked model or diagnostics out: scanner, parser and checks only. True when there is
 * a model without errors. box.cfg beside the main text is read when it exists; without it every
 * interface role named by a zone stands for a device of the same name. Pure. */
bool policy_check(struct compilation *c, const struct policy_loader *l, const char *main_name);

/* The organisation that owns this zone, or NULL. */
static inline const struct model_organisation *organisation_of(const struct model *m, const struct model_zone *z)
{
	for (size_t i = 0; i < m->n_organisations; i++)
		if (z != NULL && m->organisations[i].zone == z)
			return &m->organisations[i];
	return NULL;
}

#endif
