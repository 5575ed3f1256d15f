/*
 * register.h: include after postgres.h.
 */
#ifndef MP_REGISTER_H
#define MP_REGISTER_H

extern void mp_register_init(void);

#endif
