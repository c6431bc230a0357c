/* What a step writes, as a Python object: a read-only buffer of floats, in memory from a pool. A state is up to a few
 * megabytes, and one is left behind with every token: fresh pages for each would cost more than the step. */
#ifndef RADIO_MEMORY_H
#define RADIO_MEMORY_H

#include <Python.h>

extern PyType_Spec memory_spec;

/* `type` is what memory_spec became; NULL with an exception set where there is no memory. */
PyObject *memory_new(PyTypeObject *type, size_t floats);
/* To be written before anybody else sees the object. */
float *floats_of(PyObject *memory);

#endif
