/* SPDX-License-Identifier: Apache-2.0 */
/* A conduit in words for people who may not read rules: those who open a door or see an alarm. */
#ifndef SEKISHO_POLICY_IR_CONDUIT_JSON_H
#define SEKISHO_POLICY_IR_CONDUIT_JSON_H

#include "appliance/base/json.h"
#include "policy/ir/ir.h"

/* How many machines are named at an end, and how many conduits of a door; the total is given
 * as well. */
#define CONDUIT_HOSTS 8u
#define DOOR_CONDUITS 8u

/* {"conduit","label","from":{"zone","label","hosts":[...],"hosts_all"},"to":{...},
 *  "services":[{"service","protocol","commands":[...]|null}]} */
json_t *ir_conduit_json(const struct ir *ir, uint32_t conduit);
/* Adds "machines" to an object of `status` that has a "conduit": the machines at both ends of that
 * conduit, or the name of the zone where the end is a whole zone. */
void ir_machines_json(const struct ir *ir, json_t *of);
/* Adds to an isolation of `status`: "machines" that it names or that are in its zones, and the
 * zones that have no machines. */
void ir_isolation_json(const struct ir *ir, json_t *isolation);
/* Adds to a door of `status`: "conduits", "conduits_all", "organisation_label" and "contacts". */
void ir_door_json(const struct ir *ir, json_t *door);

#endif
