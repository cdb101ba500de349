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
/* enforce_look_used takes the record of uses that the daemon left; an invalid one is ignored.
 * enforce_look_names takes a sealed generation and its permit ids, as in MSG_APPLY (borrowed), to
 * find the names of what is read. 0 or negative errno. */
void enforce_look_used(struct enforce_look *l, const uint8_t *p, size_t n);
int enforce_look_names(struct enforce_look *l, const uint8_t *p, size_t n_sealed, size_t n_map, struct err *e);
/* *ret: the table and its base chains with policy drop are in the kernel. enforce_look_forwarding
 * returns whether forwarding is on for at least one family. */
int enforce_look_base(struct enforce_look *l, bool *ret, struct err *e);
bool enforce_look_forwarding(const struct enforce_look *l);
/* *ret_open: something with an end is open. *ret_closed: nothing with an end is open, although by
 * the given generation (enforce_look_names) and the clock something should be. */
int enforce_look_ends(struct enforce_look *l, bool *ret_open, bool *ret_closed, struct err *e);
/* The same answers as the role gives (docs/json.md); owned by the caller, NULL and *e on failure.
 * enforce_look_effective needs enforce_look_names first. */
json_t *enforce_look_status(struct enforce_look *l, struct err *e);
json_t *enforce_look_effective(struct enforce_look *l, struct err *e);

#endif
