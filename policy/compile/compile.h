/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler as its users see it: texts in, diagnostics, model and IR out. Pure; all memory in
 * one arena. The table of contents of the folder: load -> scan -> parse -> check -> (prove never)
 * -> cells -> commands -> lower.
 */
#ifndef SEKISHO_POLICY_COMPILE_COMPILE_H
#define SEKISHO_POLICY_COMPILE_COMPILE_H

#include "policy/check/policy_check.h"
#include "policy/ir/ir.h"

/* After policy_check: `never` proofs as errors, then IR. True when c->ir is set. */
bool policy_lower(struct compilation *c);
/* The same without the proofs: for `prove`, which tells of each statement itself, but of no policy
 * that `check` refuses. */
bool policy_lower_unproved(struct compilation *c);
/*
 * The way back: of sealed bytes the model as far as space/asked.h, space/walks.h and space/differ.h
 * read it, without their texts being read, which takes ten times as long. 0, or negative errno as
 * ir_unseal(). Borrows nothing.
 */
int policy_raise(struct compilation *c, struct bytes sealed, struct err *e);

#endif
