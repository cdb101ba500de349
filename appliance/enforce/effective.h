/* SPDX-License-Identifier: Apache-2.0 */
/* The rules in force, for people. */
#ifndef SEKISHO_ENFORCE_EFFECTIVE_H
#define SEKISHO_ENFORCE_EFFECTIVE_H

#include "appliance/base/json.h"

struct enforce;
struct err;

json_t *enforce_effective(struct enforce *f, struct err *e); /* NULL on failure */

#endif
