/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates on which the box depends: the one of its own authority, by which browsers trust
 * its pages; the files that box.cfg names as `ca`; and the one that the box shows to a log server
 * with RELP. If a certificate is near its end, has ended, is not valid yet or cannot be read, this
 * is an alarm (`certificates` of the status). The beginning and the end of the alarm are recorded.
 *
 * The files are read here, and parsed by the role mgmt, which has no privileges. What mgmt finds is
 * only shown and compared with the clock. It is kept while mgmt does not run. Which alarms were
 * recorded is kept in memory only, so they are recorded again after a start.
 */
#ifndef SEKISHO_CONTROL_CERTIFICATES_H
#define SEKISHO_CONTROL_CERTIFICATES_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/box/companions.h"
#include "appliance/control/asker.h"

struct control;
struct msg_certified;

enum certificate_use {
	CERTIFICATE_WEB,
	CERTIFICATE_LOG,
	CERTIFICATE_UPDATE,
	CERTIFICATE_MAIL,
	CERTIFICATE_LOG_OWN,
	CERTIFICATE_USES
};

/* The state of a certificate: EXPIRY_... of expiry.c, and states that do not depend on dates. */
enum certificate_state {
	CERTIFICATE_GOOD,
	CERTIFICATE_NEAR,
	CERTIFICATE_CLOSE,
	CERTIFICATE_ENDED,
	CERTIFICATE_NOT_YET,
	CERTIFICATE_UNREADABLE,
	CERTIFICATE_UNKNOWN,  /* its content is not known yet */
	CERTIFICATE_UNJUDGED, /* the clock is not trusted, so nothing is known of dates */
	CERTIFICATE_STATES
};

#define CERTIFICATE_PATH 512u /* bytes of a path; a longer one cannot be used */

struct certificates {
	struct certificate_file {
		/* "" = no file is configured; for CERTIFICATE_WEB any text, because mgmt itself has
		 * that file */
		char path[CERTIFICATE_PATH];
		enum authority is;
		/* wall ns since when the file has not been READY, or has no readable certificate; 0
		 * = it is good */
		uint64_t bad_since;
		uint8_t digest[32]; /* digest of the text that mgmt was last asked about */
		/* id of the question to mgmt that is not answered yet, 0 = none */
		uint32_t id;
		/* web_number of the process of mgmt that was last asked; 0 = none */
		uint32_t asked;
		bool known; /* `says` describes the file's present text */
		struct msg_certified says;
		/* code of the last record; MACHINE_CERTIFICATE_GOOD if the problem was over; 0 =
		 * none */
		uint8_t said;
	} files[CERTIFICATE_USES];
};

void certificates_look(struct control *s, uint64_t now); /* watch.c */
/* Takes what the role mgmt found in a certificate. */
void certificates_told(struct control *s, uint32_t id, const struct msg_certified *says);
/* Takes the requested file. `fd` stays the caller's; -1 = none. */
void certificates_file(struct control *s, struct asker a, int status, int fd);
/* For `status` (docs/json.md). */
json_t *json_certificates(const struct control *s);

#endif
