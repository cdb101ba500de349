/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/answer.h"

#include <unistd.h>

int msg_answer(int sock, uint32_t id, enum answer_status status, json_t *j)
{
	int fd = j != NULL ? json_memfd(j) : -1, r;
	struct msg_body m = { MSG_ANSWER, .answer = { .status = (uint8_t)status } };

	if (fd < 0 && status == ANSWER_YES)
		m.answer.status = ANSWER_CANNOT;
	r = msg_send(sock, id, &m, &fd, fd >= 0 ? 1 : 0);
	if (fd >= 0)
		close(fd);
	return r;
}
