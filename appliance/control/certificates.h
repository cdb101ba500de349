/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates that the box lives by: that of its own authority, which its pages are trusted by, the files that box.cfg names as `ca`, and what it shows a log server that takes records by RELP. Whether one is near its
 * end, has ended, is not valid yet or cannot be read is an alarm (`certificates` of the status), and a record when it begins and when it is over. The files are read here and
 * parsed by the role mgmt, which has no privileges; what it says is shown and compared with the clock, no more. What was said is in memory alone, so that a start says it
 * again; what a file says is kept while mgmt is away.
 */
#ifndef SEKISHO_CONTROL_CERTIFICATES_H
#define SEKISHO_CONTROL_CERTIFICATES_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/box/companions.h"
#include "appliance/control/asker.h"
#include "appliance/wire/msg.h"

struct control;

enum certificate_use {
	CERTIFICATE_WEB,
	CERTIFICATE_LOG,
	CERTIFICATE_UPDATE,
	CERTIFICATE_MAIL,
	CERTIFICATE_LOG_OWN,
	CERTIFICATE_USES
};

/* How it stands; EXPIRY_... of expiry.h and what is no matter of dates. */
enum certificate_state {
	CERTIFICATE_GOOD,
	CERTIFICATE_NEAR,
	CERTIFICATE_CLOSE,
	CERTIFICATE_ENDED,
	CERTIFICATE_NOT_YET,
	CERTIFICATE_UNREADABLE,
	CERTIFICATE_UNKNOWN,  /* nobody has said yet what is in it */
	CERTIFICATE_UNJUDGED, /* by a clock that nobody trusts any may be near its end */
	CERTIFICATE_STATES
};

#define CERTIFICATE_PATH 512u /* a longer one cannot be named */

struct certificates {
	uint64_t look_at;    /* monotonic ns */
	uint64_t generation; /* of what was looked at last */
	struct certificate_file {
		char path[CERTIFICATE_PATH]; /* "" = named by nobody; of the box's own it stands for one */
		enum authority is;
		uint64_t bad_since; /* wall ns: not READY, or it holds nothing that can be read; 0 = it does */
		uint8_t digest[32]; /* of its text, as it was asked about last */
		uint32_t id;	    /* of the question that is not answered yet, 0 = none */
		uint32_t asked;	    /* of which process of mgmt (web_number), last; 0 = nobody */
		bool known;	    /* `says` is what its text holds */
		struct msg_certified says;
		uint8_t said; /* the code of the last record, MACHINE_CERTIFICATE_GOOD when it was over; 0 = none */
	} files[CERTIFICATE_USES];
};

/* Looks every ten seconds, and at once when another policy is in force. */
void certificates_due(struct control *s, uint64_t now);
uint64_t certificates_next(const struct control *s); /* monotonic ns */
/* What the role mgmt has said. */
void certificates_told(struct control *s, uint32_t id, const struct msg_certified *says);
/* The file that was asked for. `fd` stays the caller's; -1 = none. */
void certificates_file(struct control *s, struct asker a, int status, int fd);
/* For `status` (docs/json.md). */
json_t *json_certificates(const struct control *s);

#endif
