/* SPDX-License-Identifier: Apache-2.0 */
/* A generation as JSON (docs/json.md). What json.c makes is the same in `compile` and in
 * `effective`; status_json.c adds to what `status` tells. Each JSON is a new reference. */
#ifndef SEKISHO_POLICY_IR_JSON_H
#define SEKISHO_POLICY_IR_JSON_H

#include "appliance/base/json.h"
#include "policy/ir/objects.h"

/* ---- objects: their rows of objects.def that have a key -------------------------------------- */

/* Adds the fields to `o`, which stays the caller's. */
void ir_fields_json(json_t *o, const struct ir *ir, const struct ir_object *object, const void *p);
/* A list of the generation by its JSON key, for instance "zones". */
json_t *ir_list_json(const struct ir *ir, const char *key);
json_t *ir_until_json(uint64_t seconds);
/* [{"name","label","cut","keep","on_alarm"}]: `cut` in the words of `sekisho isolate`, `keep` as
 * names of conduits. */
json_t *ir_isolations_json(const struct ir *ir);
/* [{"kind","name","label"}]: the conduits and assets of these bits (policy/ir/needs.h). */
json_t *ir_needs_json(const struct ir *ir, uint64_t which);

/* ---- who may do what under a generation: the parts of `effective` that need no kernel -------- */

/* What a permit grants: the protocols of its conduits, and the commands that their rows allow.
 * `made` (ir_grants_made) caches the object of each grant, because permits share grants. Nobody may
 * change these objects. */
json_t *ir_grants_json(const struct ir *ir, const struct command_permit *p, json_t *made);
/* An empty cache for ir_grants_json: an array with one null per grant, owned by the caller. */
json_t *ir_grants_made(const struct ir *ir);
/* All conduits. Each tells whether it is open at that moment, and until when it is, or when it
 * opens. */
json_t *ir_conduits_json(const struct ir *ir, uint64_t at_s);
/* All organisations, each with the names of the conduits from and to its zones. */
json_t *ir_organisations_json(const struct ir *ir);
/* Adds site, conduits, permits, assets, zones and organisations as of the moment `at_s`. Doors are
 * left out, because the generation does not tell which were open then. */
void ir_effective_json(json_t *j, const struct ir *ir, uint64_t at_s);

/* ---- a conduit in words for people who may not read rules ------------------------------------ */

/* At most so many machines of an end, and conduits of a door, are named. Their full number is given
 * as well. */
#define CONDUIT_HOSTS 8u
#define DOOR_CONDUITS 8u

/* Adds "machines" to an object of `status` that has a "conduit": the machines at both ends of that
 * conduit, or the name of the zone where the end is a whole zone; and "contacts" of both zones. */
void ir_machines_json(const struct ir *ir, json_t *of);
/* Adds to an alarm of `status` about an attack: "contacts" of the zones of both ends. */
void ir_attack_json(const struct ir *ir, json_t *attack);
/* Adds to an isolation of `status`: "machines" that it names or that are in its zones, and the
 * zones that have no machines; and "contacts" of these zones. */
void ir_isolation_json(const struct ir *ir, json_t *isolation);
/* Adds to a door of `status`: "conduits", "conduits_all", "organisation_label" and "contacts". */
void ir_door_json(const struct ir *ir, json_t *door);

/* ---- the hosts that another box.cfg shuts out of the management ------------------------------ */

/*
 * Finds what `now` has for the management and `next` has not: terminals that `next` does not name;
 * all hosts except the terminals, if only `next` names terminals; management addresses of the box;
 * and all hosts, if `next` has no management address. A new object (docs/json.md, shut_out); NULL
 * when no host loses access. Without a policy, or without a management address, no host has access.
 */
json_t *ir_shut_out_json(const struct ir *now, const struct ir *next);

#endif
