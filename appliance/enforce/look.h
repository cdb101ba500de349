/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What enforce reports of the kernel, for callers outside the roles while no enforce runs. Sockets
 * and files are opened in the caller's namespace, and nothing is changed there.
 */
#ifndef SEKISHO_ENFORCE_LOOK_H
#define SEKISHO_ENFORCE_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"

struct enforce_look;

/* Owned by the caller; NULL and *e on failure. */
struct enforce_look *enforce_look_open(struct err *e);
void enforce_look_close(struct enforce_look *l); /* accepts NULL */
/* Names for what is read: a sealed generation and its permit ids, as MSG_APPLY has them. Borrowed.
 * 0 or negative errno. */
/* What was used, as the daemon left it; bytes that are none of it count for nothing. */
void enforce_look_used(struct enforce_look *l, const uint8_t *p, size_t n);
int enforce_look_names(struct enforce_look *l, const uint8_t *p, size_t n_sealed, size_t n_map, struct err *e);
/* Table and base chains stand with policy drop; forwarding is on in either family. */
int enforce_look_base(struct enforce_look *l, bool *ret, struct err *e);
bool enforce_look_forwarding(const struct enforce_look *l);
/* *ret_open: something that ends by time stands open. *ret_closed: nothing does, and by these names
 * and the clock something would. */
int enforce_look_ends(struct enforce_look *l, bool *ret_open, bool *ret_closed, struct err *e);
/* As the role answers (docs/json.md); owned by the caller, NULL and *e on failure. The second one
 * needs names. */
json_t *enforce_look_status(struct enforce_look *l, struct err *e);
json_t *enforce_look_effective(struct enforce_look *l, struct err *e);

#endif
