/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler as its users see it: texts in, diagnostics, model and IR out. Pure; all memory in one arena.
 * The table of contents of the folder: load -> scan -> parse -> check -> (prove never) -> cells -> commands -> lower.
 */
#ifndef SEKISHO_POLICY_COMPILE_H
#define SEKISHO_POLICY_COMPILE_H

#include "policy/check/model.h"
#include "policy/ir/ir.h"
#include "policy/read/compilation.h"
#include "policy/read/load.h"

/* Scanner, parser and checks only. True when there is a model without errors. box.cfg beside the main text is read when
 * it exists; without it every interface role named by a zone stands for a device of the same name. */
bool policy_check(struct compilation *c, const struct policy_loader *l, const char *main_name);
/* After policy_check: `never` proofs as errors, then IR. True when c->ir is set. */
bool policy_lower(struct compilation *c);

#endif
