// The types of what vendor/preact.js exports: Preact, its hooks, signals, and htm bound to h.
export {
  Component,
  Fragment,
  cloneElement,
  createContext,
  createRef,
  h,
  render,
  toChildArray,
} from '../node_modules/preact/src/index'
export type {
  Attributes,
  ComponentChild,
  ComponentChildren,
  ComponentType,
  Context,
  JSX,
  Ref,
  RefCallback,
  RefObject,
  TargetedEvent,
  TargetedInputEvent,
  TargetedKeyboardEvent,
  TargetedMouseEvent,
  TargetedPointerEvent,
  TargetedSubmitEvent,
  VNode,
} from '../node_modules/preact/src/index'
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
} from '../node_modules/preact/hooks/src/index'
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
} from '../node_modules/@preact/signals/dist/signals'
export type { ReadonlySignal } from '../node_modules/@preact/signals/dist/signals'

import type { VNode } from '../node_modules/preact/src/index'

/** Builds elements from a template. */
export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode<any>
