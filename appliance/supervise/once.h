/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of the verdict cache, which workers share with the kernel. */
#ifndef SEKISHO_SUPERVISE_ONCE_H
#define SEKISHO_SUPERVISE_ONCE_H

#include <signal.h>
#include <stdint.h>

#include "appliance/cache/load.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/once.h"

struct supervisor;

/* Loads the verdict cache's program. Without it, or where the kernel refuses it, every packet of a
 * lane is queued, as it is without a cache. */
void once_open(struct supervisor *s);
/* Puts the descriptors of the memory that worker w shares with the kernel into fds[3]. Returns
 * their number. 0: there is no such memory, and each packet of the worker is queued. */
unsigned once_memory(const struct supervisor *s, uint32_t w, int fds[3]);
/* Ends all leases and handshakes of the workers of this kind. */
void once_void(struct supervisor *s, enum lane_kind kind);
/* Worker w has ended. From here on, every new session is queued. The worker's leases stay valid
 * until its successor serves. If the worker crashed, hung or broke rules, all leases end at once,
 * because an attacker may have taken it over. */
void once_died(struct supervisor *s, uint32_t w, const siginfo_t *how);

/* once.c: the verdict cache; `leases` NULL = there is none. By enum lane_kind. */
struct once {
	struct cache cache[LANE_KINDS];
	struct once_handshakes *handshakes[LANE_KINDS];
	struct once_lease *leases; /* of lanes with commands */
};

#endif
