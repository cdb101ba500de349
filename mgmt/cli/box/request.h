/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to the supervisor over its control socket, one answer. Owns the connection for that long. Says itself,
 * in one plain sentence, what is missing when nobody answers.
 */
#ifndef SEKISHO_MGMT_CLI_BOX_REQUEST_H
#define SEKISHO_MGMT_CLI_BOX_REQUEST_H

#include "appliance/wire/msg.h"
#include "mgmt/cli/cli.h"

struct box_answer {
	int status;   /* enum cli_status, as the box decided */
	json_t *json; /* an object; owned: box_answer_free */
};

/*
 * Sends and waits, at most `timeout_s` seconds. True when an answer came. False when not: the reason was said and
 * *ret_status is what the verb returns. Descriptors stay the caller's.
 */
bool box_request(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		 struct box_answer *ret, int *ret_status);
/*
 * The same of what may take long. Ctrl-C ends the waiting: after how long, and whether the box goes on with it, was said, and *ret_status is CLI_STOPPED.
 */
bool box_request_long(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		      struct box_answer *ret, int *ret_status);
/*
 * The same where the answer is a file: *ret_fd is the caller's to close, and nothing that was sent need be believed; -1: *ret is the answer instead, and has to be freed.
 */
bool box_request_file(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		      struct box_answer *ret, int *ret_fd, int *ret_status);
/* Nobody listens at the control socket: the daemon does not run. */
bool box_absent(const struct cli *c);
void box_answer_free(struct box_answer *a);
/*
 * What is common to all answers: under --json the object is printed as it came; an "error" in it is said. True when the
 * verb has nothing more to print and returns *ret_status.
 */
bool box_answer_done(struct cli *c, const struct box_answer *a, int *ret_status);

#endif
