/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register of devices: what the tap has heard beside the box.
 */
#ifndef SEKISHO_JOURNAL_ROLE_DEVICE_H
#define SEKISHO_JOURNAL_ROLE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/journal/known.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

struct journal_role;
struct msg_devices;
struct msg_journal_status;

#define DEVICE_PACES 64u

/* For an interface: how many records of new devices are still allowed, and how many devices were
 * not recorded one by one. */
struct device_pace {
	uint32_t iif, taken;
	uint64_t filled_ns; /* monotonic */
	uint64_t over, since_ns;
	struct event_generation generation;
};

/* A new device that has not announced an IP address yet; its MAC address is heard before that. */
struct device_pending {
	uint32_t number; /* 0 = free */
	uint32_t iif;
	struct event_generation generation;
	struct known_told told;
	uint64_t due_ns; /* monotonic ns: when it is recorded without an address */
};

#define DEVICE_PENDING 64u

void role_device_open(struct journal_role *j);
/* A device was heard. */
void role_device_heard(struct journal_role *j, const struct event *e);
void role_device_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_device_due(const struct journal_role *j);
void role_device_status(const struct journal_role *j, struct msg_journal_status *ret);
/* Carries out an order of a person about devices, and returns the answer. With DEVICES_TRY and
 * DEVICES_TAKE comes the copy. */
json_t *role_device_order(struct journal_role *j, const struct msg *m, enum answer_status *ret);

#endif
