// What the page takes from Preact, its hooks, signals and htm: one module, so that all of them share one Preact.
import { h } from 'preact'
import htm from 'htm'

export { Component, Fragment, cloneElement, createContext, createRef, h, render, toChildArray } from 'preact'
export {
  useCallback,
  useContext,
  useDebugValue,
  useEffect,
  useErrorBoundary,
  useId,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from 'preact/hooks'
export {
  Signal,
  batch,
  computed,
  effect,
  signal,
  untracked,
  useComputed,
  useSignal,
  useSignalEffect,
} from '@preact/signals'
export const html = htm.bind(h)
