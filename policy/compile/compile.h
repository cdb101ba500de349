/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler as its users see it: texts in, diagnostics, model and IR out. Pure; all memory in
 * one arena. The table of contents of the compiler: load -> scan -> parse -> check -> proofs
 * (never, always) -> cells -> permits -> objects of the IR -> commands -> isolations -> identities.
 */
#ifndef SEKISHO_POLICY_COMPILE_COMPILE_H
#define SEKISHO_POLICY_COMPILE_COMPILE_H

#include "appliance/base/json.h"
#include "policy/check/model.h"
#include "policy/ir/ir.h"
#include "policy/read/read.h"

/*
 * To be called after policy_check, also if that found errors: unless they leave no model, the
 * proofs run all the same, so that one run finds all errors. Proves `never` and `always` (a broken
 * statement is an error), then makes the IR. True when c->ir is set, which it is only
 * without errors.
 */
bool policy_lower(struct compilation *c);
/* The same without the proofs, for `prove`, which reports each statement itself. A policy that
 * `check` refuses for another reason is refused here, too. */
bool policy_lower_unproved(struct compilation *c);
/*
 * Makes a model from a sealed generation, without reading its texts, which would take ten times as
 * long. The model has what space/asked.h and space/differ.h read. 0, or negative
 * errno as from ir_unseal(). Borrows nothing.
 */
int policy_raise(struct compilation *c, struct bytes sealed, struct err *e);

/*
 * What the texts of a policy promise and its rules do not show: `never` statements, equipment that
 * cannot be updated, the owner of a zone. For reports. Pure.
 */

/*
 * Compiles the texts of a policy, the main one first, and returns what they promise:
 * {"nevers":2,"broken":0,"unattended":0,"ways":0,"accepted":0,"direct":0,
 * "zones":[{"name","label","owner","patchable"}]}, owned by the caller. `unattended`: statements
 * that hold only while an inspector runs; `ways`: warnings that an outside zone reaches one that
 * cannot be updated, including accepted ones; `direct`: accepted ones of a conduit from an outside
 * zone itself. NULL when the texts do not compile here.
 */
json_t *promises_json(const struct source_text *texts, size_t n);

#endif
