/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler as its users see it: texts in, diagnostics, model and IR out. Pure; all memory in
 * one arena. The table of contents of the compiler: load -> scan -> parse -> check -> proofs
 * (never, always) -> cells -> permits -> objects of the IR -> commands -> isolations -> identities.
 */
#ifndef SEKISHO_POLICY_COMPILE_COMPILE_H
#define SEKISHO_POLICY_COMPILE_COMPILE_H

#include "policy/check/policy_check.h"
#include "policy/ir/ir.h"

/* To be called after policy_check: proves `never` and `always` (a broken statement is an error),
 * then makes the IR. True when c->ir is set. */
bool policy_lower(struct compilation *c);
/* The same without the proofs, for `prove`, which reports each statement itself. A policy that
 * `check` refuses for another reason is refused here, too. */
bool policy_lower_unproved(struct compilation *c);
/*
 * Makes a model from a sealed generation, without reading its texts, which would take ten times as
 * long. The model has what space/asked.h, space/walks.h and space/differ.h read. 0, or negative
 * errno as from ir_unseal(). Borrows nothing.
 */
int policy_raise(struct compilation *c, struct bytes sealed, struct err *e);

#endif
