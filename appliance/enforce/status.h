/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the kernel's side, and counters for the supervisor. */
#ifndef SEKISHO_ENFORCE_STATUS_H
#define SEKISHO_ENFORCE_STATUS_H

#include "appliance/base/json.h"

struct enforce;
struct err;

json_t *enforce_status(struct enforce *f, struct err *e);
void enforce_unanswered(struct enforce *f); /* called in each look */

#endif
