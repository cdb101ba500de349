/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One notification of docs/SEKISHO-MIB.txt as an inform, by libnetsnmp: SNMPv3 with HMAC-SHA-256
 * (RFC 7860) and AES-128 (RFC 3826), and no other algorithms. It is delivered when the receiver has
 * acknowledged it, authenticated and encrypted as well; any other answer is ignored.
 */
#ifndef SEKISHO_MGMT_INFORM_INFORM_H
#define SEKISHO_MGMT_INFORM_INFORM_H

#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"
#include "appliance/base/messages.h"

/* To whom alarms are told by SNMP: the file that the daemon writes from
 * box.cfg (appliance/box/companions.h). */

struct inform_settings {
	char *text; /* which `user` points into */
	struct addr address;
	uint16_t port;
	const char *user;
	enum lang lang;
};

/* 0 or negative errno; free it in either case. */
int inform_settings_read(const char *path, struct inform_settings *ret, struct err *e);
void inform_settings_free(struct inform_settings *s);

/* By what a receiver knows this box for good: an engine ID of RFC 3411, 5, drawn once and kept with
 * the ledger. */

#define ENGINE_BYTES 17u

/* From the folder's file; a new one where there is none of this form. 0 or negative errno: it could
 * not be kept. */
int engine_id(int dirfd, uint8_t ret[ENGINE_BYTES], struct err *e);

#define PASSPHRASE_LEAST 8u /* RFC 3414, 11.2 */
#define PASSPHRASE_MOST 256u

#define INFORM_KEY 120u /* bytes of a key, cut by whoever has a longer one */

enum inform_what { INFORM_RAISED = 1, INFORM_CLEARED, INFORM_RECORDED }; /* as the MIB has them */

struct inform {
	enum inform_what what;
	const char *site, *code, *key, *sentence; /* UTF-8 */
	bool grave;
	const char *when; /* "2026-11-24T12:00:00.000Z" */
	uint32_t generation, serial, dropped;
};

struct informer;

/* Keys are made of the passphrases, which are not kept. NULL: *e says why, without them. */
struct informer *informer_new(const struct inform_settings *s, const uint8_t engine[ENGINE_BYTES], const char *auth,
			      const char *privacy, struct err *e);
/*
 * Begins the library and asks the receiver who it is: once in a process, with whose end (child.h)
 * goes what the library learnt of a receiver. False: *e.
 */
bool informer_open(struct informer *i, struct err *e);
/* Some seconds at most. False: *e. */
bool informer_send(struct informer *i, const struct inform *what, struct err *e);

#endif
