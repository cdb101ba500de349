/* SPDX-License-Identifier: Apache-2.0 */
/* The front half of the compiler: texts in, a checked model or diagnostics out. Pure. */
#ifndef SEKISHO_POLICY_CHECK_POLICY_CHECK_H
#define SEKISHO_POLICY_CHECK_POLICY_CHECK_H

#include "policy/check/model.h"
#include "policy/read/compilation.h"
#include "policy/read/load.h"

/* Scanner, parser and checks only. True when there is a model without errors. box.cfg beside the
 * main text is read when it exists; without it every interface role named by a zone stands for a
 * device of the same name. */
bool policy_check(struct compilation *c, const struct policy_loader *l, const char *main_name);

#endif
