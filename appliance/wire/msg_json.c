/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/msg_json.h"

#include <unistd.h>

static void set_number(json_t *j, const char *key, uint64_t v)
{
	json_object_set_new(j, key, json_integer(v < INT64_MAX ? (json_int_t)v : INT64_MAX));
}

json_t *msg_json(const struct msg_body *b)
{
	json_t *j = json_object();

	switch (b->type) {
#define MESSAGE(NUMBER, name, from, to, fds_min, fds_max, fields)                                                      \
	case MSG_##NUMBER: {                                                                                           \
		const struct msg_##name *x = &b->name;                                                                 \
		(void)x;                                                                                               \
		fields                                                                                                 \
	} break;
#define U8(name, largest) set_number(j, #name, x->name);
#define U16(name, largest) set_number(j, #name, x->name);
#define U32(name, largest) set_number(j, #name, x->name);
#define U64(name) set_number(j, #name, x->name);
#define RAW(name, size) json_object_set_new(j, #name, json_hex(x->name, size));
#define TEXT(name, most) json_object_set_new(j, #name, json_text(x->name));
#define LINE(name, most) TEXT(name, most)
#define TYPED(name, size) RAW(name, size)
#define COUNTS(name, n)
#define ENDS(name)
#define GENERATION(name)
#define FILTER(name)
#define NUMBERS(name, most)
#define NOTHING
#include "appliance/wire/message.def"
	case MSG_NONE:
	case MSG_TYPE_COUNT:
	default:
		break;
	}
	return j;
}

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
