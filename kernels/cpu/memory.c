#define PY_SSIZE_T_CLEAN
#include "memory.h"

#include <stdlib.h>

#include "model.h"

enum { POOLED = 64 };

static struct {
    size_t bytes;
    void *data;
} pool[POOLED];
static int pooled;

static void *pool_acquire(size_t bytes) {
    for (int index = pooled - 1; index >= 0; index--)
        if (pool[index].bytes == bytes) {
            void *data = pool[index].data;
            pool[index] = pool[--pooled];
            return data;
        }
    return aligned_alloc(LINE, (bytes + LINE - 1) / LINE * LINE);
}

static void pool_release(void *data, size_t bytes) {
    if (pooled == POOLED) {
        free(data);
        return;
    }
    pool[pooled].bytes = bytes;
    pool[pooled++].data = data;
}

typedef struct {
    PyObject_HEAD
    size_t bytes;
    void *data;
} Memory;

PyObject *memory_new(PyTypeObject *type, size_t floats) {
    Memory *self = PyObject_New(Memory, type);
    if (!self) return NULL;
    self->bytes = floats * sizeof(float);
    self->data = pool_acquire(self->bytes);
    if (self->data) return (PyObject *)self;
    Py_DECREF(self);
    return PyErr_NoMemory();
}

static void memory_dealloc(PyObject *object) {
    Memory *self = (Memory *)object;
    PyTypeObject *type = Py_TYPE(object);
    if (self->data) pool_release(self->data, self->bytes);
    PyObject_Free(object);
    Py_DECREF(type);
}

static int memory_buffer(PyObject *object, Py_buffer *view, int flags) {
    Memory *self = (Memory *)object;
    return PyBuffer_FillInfo(view, object, self->data, (Py_ssize_t)self->bytes, 1, flags);
}

float *memory_floats(PyObject *memory) { return ((Memory *)memory)->data; }

static PyType_Slot memory_slots[] = {
    {Py_tp_doc, "The read-only output of a step."},
    {Py_tp_dealloc, memory_dealloc},
    {Py_bf_getbuffer, memory_buffer},
    {0, NULL},
};
PyType_Spec memory_spec = {
    "radio.model._native.Memory", sizeof(Memory), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    memory_slots,
};
